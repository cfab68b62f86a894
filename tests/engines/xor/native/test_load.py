"""Loading a library: anywhere, without a compiler and without a disk."""

import sys

import pytest

from tests.engines.xor.packs import train_pack
from tests.make import make_params
from xortune.engines.xor.engines import CompiledEngine
from xortune.engines.xor.native import built_library, load_library
from xortune.errors import NoEngineError

# Forbids what a worker need not be able to do.
GUARDED = """
import os, sys
from pathlib import Path

from xortune.engines.xor.native import load_library

library = Path(sys.argv[1]).read_bytes()
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def forbid(event, arguments):
    if event in ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.mkdir"):
        raise PermissionError(event)
    if event == "open" and isinstance(arguments[0], (str, bytes)) and arguments[2] & WRITING:
        raise PermissionError(f"writing {arguments[0]}")


sys.addaudithook(forbid)
load_library(library)
"""
TRAIN = """
from xortune.engines.xor.engines import CompiledEngine
from xortune.problems.xor.spec import SPEC
from xortune.trial import Lane

pack = [SPEC.params((1.0, 100, 3, "mse")), SPEC.params((0.1, 90, 4, "bce"))]
print(CompiledEngine("xor", library).open("cpu").train([*map(Lane, pack)], 500)[0].weights)
"""


@pytest.fixture
def library(real, tmp_path):
    path = tmp_path / "library"
    path.write_bytes(built_library())
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
    engine = CompiledEngine("xor", library.read_bytes())
    (expected,) = train_pack(engine, [make_params(1.0, 100, 3)])
    done = python(GUARDED.replace("sys.addaudithook(forbid)", "") + TRAIN, library)
    assert done == (0, str(expected.weights), "")


def test_a_library_is_loaded_once(library):
    content = library.read_bytes()
    assert load_library(content) is load_library(bytes(bytearray(content)))


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x7fELF"], ids=str)
def test_a_file_that_is_not_a_library_is_refused(python, tmp_path, content):
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
