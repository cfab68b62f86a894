"""A driver whose disk fails: what a child of the fork server runs."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
from pathlib import Path

import xortune
from tests.faults.driver.killed_driver import RUN, SETTINGS, SPACE, Boundaries
from xortune.cli import main as cli
from xortune.cli.commands import search as command

# With every right dropped, permissions bind root too.
_CAPABILITIES = (ctypes.c_uint32 * 2)(0x20080522, 0)


def search(results: str, largest: int | None = None) -> int:
    """A search through the command line, none of whose files may be larger, in bytes."""
    if largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    return _command(results)


def search_and_fail(results: str, at: int, fault: str) -> int:
    """A search whose folder, at a write boundary, is moved, removed, made unwritable or full."""
    folder = Path(results) / "one"
    acts = {
        "moved": lambda: folder.rename(folder.with_name("away")),
        "removed": lambda: shutil.rmtree(folder),
        "ledger removed": lambda: (folder / "study.db").unlink(),
        "unwritable": lambda: folder.chmod(0o555),
        "runs unwritable": lambda: (folder / "tensorboard").chmod(0o555),
        "another one there": lambda: _replace(folder),
        "full": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500)),
    }
    if os.geteuid() == 0:
        ctypes.CDLL(None).capset(_CAPABILITIES, (ctypes.c_uint32 * 6)())
    Boundaries(at, acts[fault]).install()
    return _command(results)


def resume(results: str) -> int:
    return cli(["resume", f"{results}/one", "--runner=inline", "--quiet"])


def _replace(folder: Path) -> None:
    folder.rename(folder.with_name("away"))
    shutil.copytree(folder.with_name("away"), folder)


def _command(results: str) -> int:
    """The command line's way with errors, around a space that is no file."""

    def search(*_: object) -> None:
        xortune.search(SPACE, name="one", results=results, **SETTINGS, **RUN)

    command.run = search
    return cli(["search", "--quiet"])
