"""Compilers that are missing or do not do their work: each is named, with the reason."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from xortune.engines.xor.native import build, built_library
from xortune.errors import NoEngineError

BUILD = """
from xortune.errors import NoEngineError
from xortune.engines.xor.native import built_library

try:
    built_library()
except NoEngineError as error:
    print(error)
"""


def refusal() -> str:
    with pytest.raises(NoEngineError) as caught:
        built_library()
    return str(caught.value)


@pytest.fixture
def scratch(tmp_path, monkeypatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def use(make_script, monkeypatch):
    """Makes a script the compiler."""

    def use(text: str) -> Path:
        path = make_script(text)
        monkeypatch.setenv("CC", str(path))
        return path

    return use


def test_no_compiler_at_all(monkeypatch, tmp_path, cache):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal() == "no C compiler was found (one of cc, gcc, clang)"
    assert not cache.exists()


def test_a_compiler_that_is_not_there(monkeypatch, real):
    """Another compiler exists, but CC names this one."""
    monkeypatch.setenv("CC", "missing-cc")
    assert refusal() == "no C compiler was found (CC=missing-cc)"


def test_a_compiler_that_cannot_be_run(use):
    path = use("exit 0")
    path.chmod(stat.S_IREAD)
    assert refusal() == f"no C compiler was found (CC={path})"


def test_a_compiler_that_is_no_program(use):
    path = use("")
    path.write_bytes(b"\x7fELF rubbish")
    assert refusal().startswith(f"{path} failed: [Errno")


def test_a_compiler_that_fails_with_a_message(use, cache, scratch):
    path = use("echo 'step.c:1: no such header' >&2; echo more >&2; exit 1")
    assert refusal() == f"{path} failed: step.c:1: no such header"
    assert not cache.exists()
    assert list(scratch.iterdir()) == []


def test_a_compiler_that_fails_without_a_word(use):
    path = use("exit 3")
    assert refusal() == f"{path} failed: exit code 3"


def test_a_compiler_that_writes_nothing(use):
    path = use("exit 0")
    message = refusal()
    assert message.startswith(f"{path} failed: ")
    assert "No such file" in message


def test_a_compiler_that_hangs(use, monkeypatch, scratch):
    """Until it is given up; nothing would ever be written into this pipe."""
    os.mkfifo(scratch / "pipe")
    path = use(f"exec cat '{scratch / 'pipe'}'")
    monkeypatch.setattr(build, "_SECONDS", 0.1)
    message = refusal()
    assert message.startswith(f"{path} failed: ")
    assert "timed out after 0.1 seconds" in message
    assert [entry.name for entry in scratch.iterdir()] == ["pipe"]


def test_a_compiler_has_a_minute():
    assert build._SECONDS == 60


def test_a_compiler_whose_message_is_no_utf_8(use):
    path = use("printf 'erreur: \\351chec\\n' >&2; exit 1")
    assert refusal().startswith(f"{path} failed: erreur: ")


def test_no_temporary_folder(tmp_path, monkeypatch, compiler):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert str(compiler.path) in refusal()


WRITE = 'while [ "$1" != -o ]; do shift; done\n'


@pytest.mark.parametrize(
    "text",
    [
        WRITE + 'echo rubbish > "$2"',
        WRITE + ': > "$2"',
        WRITE + "printf '\\177ELF\\002\\001\\001' > \"$2\"",
    ],
    ids=["text", "empty", "the beginning of a library"],
)
def test_a_compiler_that_writes_rubbish(use, python, cache, text):
    use(text)
    code, out, err = python(BUILD)
    assert (code, err) == (0, "")
    assert out.startswith("the compiled step cannot be loaded: ")
    assert not cache.exists()


def test_a_compiler_that_makes_another_library(use, real, python, cache, tmp_path):
    empty = tmp_path / "empty.c"
    empty.write_text("int nothing;\n")
    use(f'{WRITE}exec "{real}" -shared -fPIC "{empty}" -o "$2"')
    code, out, err = python(BUILD)
    assert (code, err) == (0, "")
    assert out.startswith("the compiled step cannot be loaded: ")
    assert "xortune_train" in out
    assert not cache.exists()
