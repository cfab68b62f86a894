"""The library is compiled once, and found again until something of it changes."""

import hashlib
import os
import subprocess
import sys

import pytest

from xortune.engines import compiling
from xortune.engines.xor.native import build, built_library, load_library

BUILD = """
import hashlib, sys
from xortune.engines.xor.native import built_library, load_library

print("ready", flush=True)
sys.stdin.read()
library = built_library()
load_library(library)
print(hashlib.sha256(library).hexdigest())
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A step.c that may be changed."""
    copy = tmp_path / "step.c"
    copy.write_bytes(build._SOURCE.read_bytes())
    monkeypatch.setattr(build, "_SOURCE", copy)
    return copy


def test_an_empty_cache_is_filled(cache, compiler):
    library = built_library()
    load_library(library)
    (kept,) = cache.iterdir()
    assert kept.name.startswith("step-")
    assert kept.read_bytes() == hashlib.sha256(library).digest() + library
    assert compiler.calls == 1


def test_what_is_kept_is_the_user_s_alone(cache, compiler):
    before = os.umask(0)
    try:
        built_library()
    finally:
        os.umask(before)
    (kept,) = cache.iterdir()
    assert cache.stat().st_mode & 0o777 == 0o700
    assert kept.stat().st_mode & 0o077 == 0


def test_from_then_on_no_compiler_runs(cache, compiler, python):
    library = built_library()
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert built_library() == library
    done = python(BUILD)
    assert done == (0, f"ready\n{hashlib.sha256(library).hexdigest()}", "")
    assert compiler.calls == 1
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before


def test_a_new_compiler_compiles_anew(cache, compiler):
    built_library()
    status = compiler.path.stat()
    os.utime(compiler.path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    built_library()
    assert compiler.calls == 2
    with compiler.path.open("a") as file:
        file.write("\n")
    os.utime(compiler.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    built_library()
    assert compiler.calls == 3
    assert len(list(cache.iterdir())) == 3


def test_another_compiler_compiles_anew(cache, compiler, monkeypatch):
    built_library()
    twin = compiler.path.with_name("twin")
    twin.hardlink_to(compiler.path)
    monkeypatch.setenv("CC", str(twin))
    built_library()
    assert len(list(cache.iterdir())) == 2


def test_another_source_is_compiled(cache, compiler, source):
    built_library()
    with source.open("a") as file:
        file.write("/* no more */\n")
    built_library()
    assert compiler.calls == 2


def test_other_flags_compile_anew(cache, compiler, monkeypatch):
    built_library()
    monkeypatch.setattr(build, "_FLAGS", (*build._FLAGS, "-g"))
    built_library()
    assert compiler.calls == 2


def test_without_cc_the_path_is_searched(cache, compiler, monkeypatch):
    folder = compiler.path.parent / "bin"
    folder.mkdir()
    monkeypatch.setenv("CC", "")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    for name in ("clang", "gcc", "cc"):
        (folder / name).symlink_to(compiler.path)
    built_library()
    assert compiler.calls == 1
    assert compiling.found_compiler() == str(folder / "cc")


def test_two_processes_fill_one_cache(cache, compiler):
    command = [sys.executable, "-c", BUILD]
    pipe = subprocess.PIPE
    both = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in "12"
    ]
    assert [process.stdout.readline() for process in both] == ["ready\n"] * 2
    for process in both:
        process.stdin.close()
        process.stdin = None
    ends = [process.communicate() for process in both]
    (kept,) = cache.iterdir()
    digest = hashlib.sha256(kept.read_bytes()[32:]).hexdigest()
    assert ends == [(f"{digest}\n", "")] * 2
    assert [process.returncode for process in both] == [0, 0]
    calls = compiler.calls
    assert 1 <= calls <= 2
    built_library()
    assert compiler.calls == calls


def test_a_file_appears_whole_or_not_at_all(cache, compiler, monkeypatch):
    """What another process may read while this one writes."""
    seen = []
    replace = build.Path.replace

    def looking(partial, target):
        seen.append((target.exists(), partial.read_bytes()))
        return replace(partial, target)

    monkeypatch.setattr(compiling.Path, "replace", looking)
    library = built_library()
    assert seen == [(False, hashlib.sha256(library).digest() + library)]
