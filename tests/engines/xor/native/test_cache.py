"""A cache that is damaged, closed or not to be trusted is ignored."""

import hashlib
import sys
from pathlib import Path

import pytest

from xortune.engines import compiling
from xortune.engines.xor.native import built_library, load_library


@pytest.fixture
def kept(cache, compiler) -> Path:
    """The file that a first build has left."""
    built_library()
    (kept,) = cache.iterdir()
    return kept


def other(kept: Path) -> bytes:
    """A file whose digest is right, but not the library that was compiled."""
    library = kept.read_bytes()[32:] + b"\0"
    return hashlib.sha256(library).digest() + library


DAMAGES = {
    "empty": lambda content: b"",
    "short": lambda content: content[:20],
    "digest alone": lambda content: content[:32],
    "truncated": lambda content: content[:-1],
    "longer": lambda content: content + b"\0",
    "one bit": lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
    "other digest": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "text": lambda content: b"hello",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_replaced(kept, compiler, damage):
    whole = kept.read_bytes()
    kept.write_bytes(DAMAGES[damage](whole))
    assert built_library() == whole[32:]
    assert compiler.calls == 2
    assert kept.read_bytes() == whole
    assert [kept] == list(kept.parent.iterdir())
    built_library()
    assert compiler.calls == 2


def test_a_folder_in_place_of_the_file_is_left_alone(kept, compiler):
    library = kept.read_bytes()[32:]
    kept.unlink()
    kept.mkdir()
    (kept / "mine").touch()
    assert built_library() == library
    assert compiler.calls == 2
    assert (kept / "mine").exists()


def test_a_link_to_nowhere_is_replaced(kept, compiler):
    kept.unlink()
    kept.symlink_to("nowhere")
    library = built_library()
    assert kept.read_bytes()[32:] == library
    assert not kept.is_symlink()


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_not_trusted(kept, compiler, mode):
    whole = kept.read_bytes()
    kept.write_bytes(other(kept))
    kept.chmod(mode)
    assert built_library() == whole[32:]
    assert kept.read_bytes() == whole
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_file_that_others_can_read_is_trusted(kept, compiler):
    content = other(kept)
    kept.write_bytes(content)
    kept.chmod(0o644)
    assert built_library() == content[32:]
    assert compiler.calls == 1


def test_a_file_of_another_user_is_not_trusted(kept, compiler, monkeypatch):
    kept.write_bytes(other(kept))
    monkeypatch.setattr(compiling.os, "getuid", lambda: 12_345)
    built_library()
    assert compiler.calls == 2


REBUILD = """
from xortune.engines.xor.native import built_library, load_library

load_library(built_library())
print("loaded")
"""


@pytest.mark.parametrize("library", [b"", b"rubbish"])
def test_a_library_that_cannot_be_loaded_is_replaced(kept, compiler, python, library):
    kept.write_bytes(hashlib.sha256(library).digest() + library)
    assert python(REBUILD) == (0, "loaded", "")
    assert compiler.calls == 2


def test_a_library_that_cannot_be_cached_leaves_no_file(cache, compiler, monkeypatch):
    def full(partial, target):
        raise OSError("no space is left")

    monkeypatch.setattr(compiling.Path, "replace", full)
    load_library(built_library())
    assert list(cache.iterdir()) == []


def impossible(cache: Path, place: str) -> str:
    """A folder of caches that cannot be made, even by root."""
    file = cache.parent.parent / "file"
    file.touch()
    return {"a file": str(file), "below a file": str(file / "below"), "no folder": "/proc/x"}[place]


@pytest.mark.parametrize(
    "place",
    [
        "a file",
        "below a file",
        pytest.param(
            "no folder", marks=pytest.mark.skipif(sys.platform != "linux", reason="/proc")
        ),
    ],
)
def test_a_cache_that_cannot_be(cache, compiler, monkeypatch, place):
    monkeypatch.setenv("XDG_CACHE_HOME", impossible(cache, place))
    for calls in (1, 2):
        load_library(built_library())
        assert compiler.calls == calls
    assert not cache.exists()


def test_a_file_in_the_place_of_the_folder(cache, compiler):
    cache.parent.mkdir()
    cache.write_text("mine")
    load_library(built_library())
    assert cache.read_text() == "mine"


READ_ONLY = (
    "from xortune.engines.xor.native import *; load_library(built_library()); print('loaded')"
)


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_cache_without_permission(cache, compiler, python, unprivileged, mode):
    cache.mkdir(parents=True)
    cache.chmod(mode)
    done = python(READ_ONLY, before=tuple(unprivileged))
    cache.chmod(0o755)
    assert done == (0, "loaded", "")
    assert list(cache.iterdir()) == []


def test_a_cache_that_can_be_read_alone_is_read(kept, compiler, python, unprivileged):
    kept.chmod(0o400)
    kept.parent.chmod(0o555)
    done = python(READ_ONLY, before=tuple(unprivileged))
    kept.parent.chmod(0o755)
    assert done == (0, "loaded", "")
    assert compiler.calls == 1


def test_without_a_home_nothing_is_kept(compiler, monkeypatch, cache):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(compiling.Path, "home", no_home)
    for calls in (1, 2):
        load_library(built_library())
        assert compiler.calls == calls


@pytest.mark.parametrize("given", [None, "", "relative"])
def test_the_home_folder_has_the_cache_unless_another_is_given(
    tmp_path, compiler, monkeypatch, given
):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if given is None:
        monkeypatch.delenv("XDG_CACHE_HOME")
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", given)
    monkeypatch.chdir(tmp_path)
    built_library()
    assert len(list((tmp_path / "home" / ".cache" / "xortune").iterdir())) == 1
    assert not (tmp_path / "relative").exists()
