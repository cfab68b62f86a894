"""What Ray raises while it starts reaches nobody as it is."""

import errno

import pytest

from xortune.cluster.ray_errors import in_one_line, said_plainly
from xortune.errors import Interrupted, UsageError, XortuneError


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("it\n  File x, line 3\nfailed"),
        TimeoutError(),
        AssertionError(),
        OSError(errno.ENOSPC, "No space left on device"),
        ImportError("no such library"),
        SystemExit(1),
        UnicodeEncodeError("ascii", "\u00fc", 0, 1, "ordinal not in range(128)"),
    ],
)
def test_every_error_becomes_one_line_with_a_remedy(error):
    with pytest.raises(XortuneError) as raised, said_plainly():
        raise error
    message = str(raised.value)
    assert not isinstance(raised.value, UsageError)
    assert message.startswith(f"Ray did not start: {in_one_line(error)}. ")
    assert "\n" not in message
    assert "runner='inline'" in message


@pytest.mark.parametrize("error", [UsageError("as said"), KeyboardInterrupt(), Interrupted(15)])
def test_errors_of_xortune_and_interruptions_pass(error):
    with pytest.raises(type(error)) as raised, said_plainly():
        raise error
    assert raised.value is error


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "Free room"), (errno.EMFILE, "ulimit -n"), (errno.EAGAIN, "ulimit -u")],
)
def test_a_shortage_that_has_a_name_has_its_remedy(number, remedy):
    with pytest.raises(XortuneError, match=remedy), said_plainly():
        raise OSError(number, "short")


def test_a_ray_that_is_joined_is_named():
    with (
        pytest.raises(XortuneError, match=r"^address host:1: Ray failed: lost\. Free"),
        said_plainly("host:1"),
    ):
        raise RuntimeError("lost")
