"""Which engine a study gets, by what is wanted, the device, and whether there is a compiler."""

import os
import shutil
import threading
from pathlib import Path

import pytest

from xortune.engines.xor.choice import engine_choice
from xortune.engines.xor.names import ENGINES, NAMES, family
from xortune.errors import NoEngineError

MISSING = "no C compiler was found (CC=missing-cc)"


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setenv("CC", "missing-cc")


@pytest.fixture
def slow_compiler(library, tmp_path, monkeypatch):
    """A compiler that waits; the function that is given back lets it work."""
    pipe, compiler = tmp_path / "pipe", tmp_path / "slow-cc"
    os.mkfifo(pipe)
    real = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))))
    compiler.write_text(f'#!/bin/sh\ncat "{pipe}" > /dev/null\nexec "{real}" "$@"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    before = {*threading.enumerate()}
    yield lambda: pipe.write_text("")
    for thread in {*threading.enumerate()} - before:
        threading.Thread(target=Path.write_text, args=(pipe, ""), daemon=True).start()
        thread.join()


@pytest.mark.parametrize("wanted", ["auto", "compiled"])
@pytest.mark.parametrize("device", ["cpu", "both"])
def test_with_a_compiler_the_compiled_engine_is_chosen(library, caplog, wanted, device):
    choice = engine_choice(wanted, "lab")
    for engine in (choice.expected(device), choice.decide(device)):
        assert (engine.name, engine.data) == ("compiled-2", "lab")
    assert caplog.messages == []


@pytest.mark.parametrize("device", ["cpu", "cuda", "both"])
def test_eager_builds_nothing(slow_compiler, caplog, device):
    before = {*threading.enumerate()}
    choice = engine_choice("eager", "lab")
    assert {*threading.enumerate()} == before
    for engine in (choice.expected(device), choice.decide(device)):
        assert (engine.name, engine.data) == ("eager-1", "lab")
    assert caplog.messages == []


@pytest.mark.parametrize("device", ["cpu", "both"])
def test_without_a_compiler_auto_is_eager_and_warns_once(no_compiler, caplog, device):
    choice = engine_choice("auto", "xor")
    assert choice.expected(device).name == "eager-1"
    assert caplog.messages == []
    assert choice.decide(device).name == "eager-1"
    (message,) = caplog.messages
    assert f"which is slower: {MISSING}." in message
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_without_a_compiler_the_compiled_engine_is_refused(no_compiler, caplog):
    choice = engine_choice("compiled", "xor")
    assert choice.expected("cpu").name == "eager-1"
    with pytest.raises(NoEngineError) as caught:
        choice.decide("cpu")
    assert str(caught.value) == MISSING
    assert caplog.messages == []


def test_on_a_gpu_auto_is_eager_without_a_warning(slow_compiler, caplog):
    """It does not wait for the compiler, either."""
    choice = engine_choice("auto", "xor")
    assert choice.expected("cuda").name == choice.decide("cuda").name == "eager-1"
    assert caplog.messages == []


def test_on_a_gpu_the_compiled_engine_is_refused(library):
    with pytest.raises(NoEngineError, match="it runs on CPUs, and the device is cuda"):
        engine_choice("compiled", "xor").decide("cuda")


def test_the_build_continues_in_the_background_until_the_engine_is_needed(slow_compiler):
    choice = engine_choice("auto", "xor")
    threading.Thread(target=slow_compiler).start()
    assert choice.decide("cpu").name == "compiled-2"


def test_a_recorded_name_goes_back_to_a_name_that_can_be_wanted():
    assert [family(name) for name in NAMES] == ["eager", "compiled"]
    assert set(ENGINES) == {"auto", *map(family, NAMES)}
    assert [family(name) for name in ("compiled-1", "eager-12")] == ["compiled", "eager"]
    for unknown in ("", "compiled", "auto-1", "stacked-1", "-1", "compiled-2-1"):
        assert family(unknown) == "auto"
