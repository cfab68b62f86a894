"""Loading a library: anywhere, without a compiler and without a disk."""

import sys

import pytest

from xortune.engines.xor.native import built_step, load_step
from xortune.errors import NoEngineError

# Forbids what a worker need not be able to do.
GUARDED = """
import os, sys
from pathlib import Path

from xortune.engines.xor.native import load_step

library = Path(sys.argv[1]).read_bytes()
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def forbid(event, arguments):
    if event in ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.mkdir"):
        raise PermissionError(event)
    if event == "open" and isinstance(arguments[0], (str, bytes)) and arguments[2] & WRITING:
        raise PermissionError(f"writing {arguments[0]}")


sys.addaudithook(forbid)
step = load_step(library)
"""
TRAIN = """
from xortune.engines.xor import train_pack
from xortune.trial import Params

print(train_pack([Params(1.0, 100, 3), Params(0.1, 90, 4, "bce")], step=step) [0].weights)
"""


@pytest.fixture
def library(real, tmp_path):
    path = tmp_path / "library"
    path.write_bytes(built_step())
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a temporary file is written")
def test_neither_compiler_nor_disk_is_needed(library, python, tmp_path):
    nowhere = str(tmp_path / "nowhere")
    done = python(
        GUARDED, library, PATH=nowhere, CC=nowhere, TMPDIR=nowhere, XDG_CACHE_HOME=nowhere
    )
    assert done == (0, "", "")


@pytest.mark.parametrize("script", ["subprocess.run(['true'])", "open('x', 'w')"])
def test_the_guard_guards(library, python, tmp_path, monkeypatch, script):
    monkeypatch.chdir(tmp_path)
    code, _, err = python(f"{GUARDED}\nimport subprocess\n{script}", library)
    assert code == 1
    assert "PermissionError" in err


def test_another_process_computes_the_same(library, python):
    from xortune.engines.xor import train_pack
    from xortune.trial import Params

    expected = train_pack([Params(1.0, 100, 3)], step=load_step(library.read_bytes()))[0]
    done = python(GUARDED.replace("sys.addaudithook(forbid)", "") + TRAIN, library)
    assert done == (0, str(expected.weights), "")


def test_a_library_is_loaded_once(library):
    content = library.read_bytes()
    assert load_step(content) is load_step(bytes(bytearray(content)))


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x7fELF"], ids=str)
def test_what_is_no_library_is_refused(python, tmp_path, content):
    path = tmp_path / "library"
    path.write_bytes(content)
    code, _, err = python(GUARDED, path)
    assert code == 1
    assert f"{NoEngineError.__name__}: the compiled step cannot be loaded: " in err


def test_nothing_is_left_in_the_temporary_folder(library, python, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = python(GUARDED.replace("sys.addaudithook(forbid)", ""), library, TMPDIR=str(scratch))
    assert done == (0, "", "")
    assert list(scratch.iterdir()) == []
