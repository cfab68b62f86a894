"""Ray's errors in words for the user: one line, with the cause and a remedy."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from xortune.errors import XortuneError
from xortune.wording import option

_LONGEST = 300
_SHORT_OF = {
    errno.ENOSPC: "Free room in TMPDIR",
    errno.EMFILE: "Raise the limit of open files (ulimit -n)",
    errno.ENFILE: "Raise the system's limit of open files",
    errno.EAGAIN: "Raise the limit of processes (ulimit -u)",
    errno.ENOMEM: "Free memory",
}


def _remedy(error: BaseException) -> str:
    inline = option("runner", "inline")
    short_of = _SHORT_OF.get(getattr(error, "errno", None) or 0)
    if short_of is not None:
        return f"{short_of}, or train in this process: {inline}."
    return (
        "Free what it ran short of (room in TMPDIR, memory, ports, open files or processes: ulimit "
        f"-n, -u), or train in this process: {inline}. {option('verbose', True)} shows Ray's "
        "messages."
    )


@contextmanager
def said_plainly(address: str | None = None) -> Iterator[None]:
    """Turns any error of Ray, while it starts or is joined, into an XortuneError.

    Args:
        address: the address of the Ray that is joined.

    Raises:
        XortuneError: Ray failed; the message has the cause and a remedy, in one line.
    """
    try:
        yield
    except XortuneError:
        raise
    except (Exception, SystemExit) as error:
        what = "Ray did not start"
        if address is not None:
            what = f"{option('address')} {address}: Ray failed"
        raise XortuneError(f"{what}: {in_one_line(error)}. {_remedy(error)}") from None


def in_one_line(error: BaseException) -> str:
    """The first line of an error's message, or its kind if it has none."""
    if isinstance(error, SystemExit):
        return f"it ended this process with exit code {error.code}, which was prevented"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    line = lines[0].rstrip(".") if lines else type(error).__name__
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
