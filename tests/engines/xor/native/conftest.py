"""An empty cache, compilers that are watched or broken, and processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.engines.xor.native.compiling import compile_library


class Done(NamedTuple):
    """What a process left behind."""

    code: int
    out: str
    err: str


# Compiles a source with some flags once; from then on it copies what came of it.
REMEMBERING = """
key=$(for word; do
  case $word in */step.so) ;; *.c) cat "$word" ;; *) echo "$word" ;; esac
done | sha256sum | cut -c -64)
for word; do case $word in */step.so) target=$word ;; esac; done
[ -f "{made}/$key" ] || { "{real}" "$@" && cp "$target" "{made}/$key.$$" &&
  mv "{made}/$key.$$" "{made}/$key"; } || exit
cp "{made}/$key" "$target"
"""


class Counted:
    """A compiler that does its work, and counts its calls.

    Args:
        path: where it is to be.
        real: what it calls.
    """

    def __init__(self, path: Path, real: Path) -> None:
        self.path = path
        self._log = path.with_suffix(".log")
        script(path, f'echo called >> "{self._log}"\nexec "{real}" "$@"')

    @property
    def calls(self) -> int:
        return self._log.read_text().count("called") if self._log.exists() else 0


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def make_script(tmp_path) -> Callable[[str], Path]:
    """Makes a shell script, for a compiler that does nothing else."""
    return lambda text: script(tmp_path / "script", text)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """Where a library will be kept: not there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.delenv("CC", raising=False)
    return tmp_path / "caches" / "xortune"


@pytest.fixture(scope="session")
def real() -> str:
    """The compiler of this machine."""
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    return found or pytest.skip("there is no C compiler")


@pytest.fixture(scope="session")
def remembering(tmp_path_factory, real) -> Path:
    """A compiler that gives the same library for the same source sooner."""
    folder = tmp_path_factory.mktemp("remembering")
    (folder / "made").mkdir()
    text = REMEMBERING.replace("{made}", str(folder / "made")).replace("{real}", real)
    return script(folder / "cc", text)


@pytest.fixture
def compiler(tmp_path, monkeypatch, remembering) -> Counted:
    """The one that CC names."""
    counted = Counted(tmp_path / "counted", remembering)
    monkeypatch.setenv("CC", str(counted.path))
    return counted


@pytest.fixture(scope="session")
def compiled(tmp_path_factory, real) -> Callable[..., Path]:
    """Compiles a C file as `built_library` does, with a compiler and with further flags."""

    def compiled(source: Path, *flags: str, by: str = real) -> Path:
        return compile_library(
            source, tmp_path_factory.mktemp("compiled") / "step.so", *flags, by=by
        )

    return compiled


@pytest.fixture
def python() -> Callable[..., Done]:
    """Runs a script in a fresh process: what one has loaded, a loader may find again."""

    def python(text: str, *arguments: object, before: tuple[str, ...] = (), **environment: str):
        command = [*before, sys.executable, "-c", text, *map(str, arguments)]
        environment = {**os.environ, **environment}
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL
        )
        return Done(done.returncode, done.stdout.strip(), done.stderr.strip())

    return python
