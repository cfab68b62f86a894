"""Which engine a study gets, by what is wanted, the device, and whether there is a compiler."""

import threading

import pytest

import xortune
from xortune.engines.xor import choice
from xortune.engines.xor.choice import EngineChoice
from xortune.errors import NoEngineError, UsageError
from xortune.settings import COMPILED, EAGER, ENGINES

LIBRARY = b"library"


@pytest.fixture
def builds(monkeypatch):
    """Every build, of which each gives the library."""
    builds = []

    def built_step():
        builds.append(threading.current_thread())
        return LIBRARY

    monkeypatch.setattr(choice, "built_step", built_step)
    return builds


@pytest.fixture
def no_compiler(monkeypatch):
    def built_step():
        raise NoEngineError("no C compiler was found (CC=missing)")

    monkeypatch.setattr(choice, "built_step", built_step)


@pytest.fixture
def slow(monkeypatch):
    """A build that takes until the event is set."""
    event = threading.Event()

    def built_step():
        event.wait()
        return LIBRARY

    monkeypatch.setattr(choice, "built_step", built_step)
    yield event
    event.set()


@pytest.mark.parametrize("wanted", ["auto", "compiled"])
def test_with_a_compiler_it_is_the_compiled_one(builds, caplog, wanted):
    assert EngineChoice(wanted).decide("cpu") == (COMPILED, LIBRARY)
    assert len(builds) == 1
    assert caplog.messages == []


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_eager_builds_nothing(builds, caplog, device):
    assert EngineChoice("eager").decide(device) == (EAGER, None)
    assert builds == []
    assert caplog.messages == []


def test_without_a_compiler_auto_is_eager_and_says_so_once(no_compiler, caplog):
    assert EngineChoice("auto").decide("cpu") == (EAGER, None)
    (message,) = caplog.messages
    assert "takes longer: no C compiler was found (CC=missing)." in message
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_without_a_compiler_there_is_no_compiled_one(no_compiler, caplog):
    with pytest.raises(NoEngineError, match=r"^no C compiler was found \(CC=missing\)$"):
        EngineChoice("compiled").decide("cpu")
    assert caplog.messages == []


def test_on_a_gpu_auto_is_eager_without_a_word(builds, caplog):
    assert EngineChoice("auto").decide("cuda") == (EAGER, None)
    assert caplog.messages == []


def test_on_a_gpu_there_is_no_compiled_one(builds):
    with pytest.raises(NoEngineError, match="it is for CPUs, and the device is cuda"):
        EngineChoice("compiled").decide("cuda")


def test_the_build_goes_on_in_the_background_until_it_is_needed(slow):
    choice = EngineChoice("auto")
    threading.Timer(0.0, slow.set).start()
    assert choice.decide("cpu") == (COMPILED, LIBRARY)


def test_what_needs_no_build_does_not_wait_for_it(slow):
    assert EngineChoice("auto").decide("cuda") == (EAGER, None)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"engine": "fast"}, "engine 'fast': must be one of auto, eager, compiled."),
        ({"engine": EAGER}, "engine 'eager-1': must be one of auto, eager, compiled."),
        ({"engine": "fast", "trials": 0, "workers": 0}, "engine 'fast': must be one of"),
    ],
)
def test_an_engine_that_is_none(tmp_path, given, text):
    with pytest.raises(UsageError) as caught:
        xortune.search("smoke", runner="inline", results=tmp_path / "results", **given)
    lines = str(caught.value).splitlines()
    assert text in lines[0]
    assert len(lines) == len(given)
    assert list(tmp_path.iterdir()) == []


def test_the_engines_that_can_be_wanted():
    assert ENGINES == ("auto", "eager", "compiled")
