"""What is said while the engine compiles, in sessions of its own, file by file."""

import logging
import os
import shutil

import pytest

from xortune.engines import compiling
from xortune.engines.mlp.native.build import built_library, sources
from xortune.errors import NoEngineError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "xortune"


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """A compiler that notes its session, once a call, before it does its work."""
    real = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))))
    script, notes = tmp_path / "noting-cc", tmp_path / "sessions"
    script.write_text(f'#!/bin/sh\ncut -d " " -f 6 /proc/$$/stat >> {notes}\nexec "{real}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("CC", str(script))
    return notes


def test_compiling_is_said_once_and_no_ctrl_c_reaches_it(cache, compiler, caplog):
    caplog.set_level(logging.INFO)
    library = built_library()
    assert built_library() == library
    assert caplog.messages == ["compiling the engine for this machine, which takes some seconds."]
    sessions = compiler.read_text().split()
    assert len(sessions) == len(sources().files) + 1
    assert str(os.getsid(0)) not in sessions


def test_a_library_that_cannot_be_kept_is_said(monkeypatch, caplog):
    monkeypatch.setattr(compiling, "_compile", lambda sources, compiler: b"library")
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert compiling.compiled(sources(), lambda library: None) == b"library"
    assert "the engine will be compiled at every start, since" in caplog.text


def test_the_first_fault_of_a_file_is_given(cache, tmp_path, monkeypatch):
    broken = tmp_path / "broken-cc"
    broken.write_text("#!/bin/sh\necho what is this >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    with pytest.raises(NoEngineError, match="broken-cc failed: what is this"):
        built_library()


def test_a_compiler_with_arguments_is_refused_in_words(monkeypatch):
    monkeypatch.setenv("CC", "gcc -O2")
    with pytest.raises(NoEngineError, match="CC=gcc -O2, which has to be one program, without"):
        built_library()
