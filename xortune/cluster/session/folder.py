"""The folder of a Ray that is started: short, private, and removed with that Ray."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xortune.cluster import ray_internals
from xortune.errors import UsageError
from xortune.wording import option

_VARIABLES = ("RAY_TMPDIR", "TMPDIR", "TEMP", "TMP")
_ALWAYS = ("/tmp", "/var/tmp")
_PREFIX = "xt-"
_LOCK = "lock"
# Ray lets everyone write to the folder that it is given. The one around it keeps them out.
_INNER = "r"
# The longest path of a socket, without the zero at its end.
_SOCKET_BYTES = 103 if sys.platform == "darwin" else 107
_OURS = f"/{_PREFIX}12345678/{_INNER}"
_RAYS = "/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store.9"
# For logs mostly, and for Tune's notes on its trials.
_NEEDED_BYTES = 32_000_000
_END_S = 5.0


@contextmanager
def ray_folder() -> Iterator[str]:
    """A new folder for a Ray, removed when the context ends.

    The folder of a driver that was killed is removed by the next search of the same user.

    Raises:
        UsageError: as `temporary_folder`.
    """
    parent = temporary_folder()
    _remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    lock = _locked(folder)
    inner = folder / _INNER
    inner.mkdir()
    try:
        yield str(inner)
    finally:
        with suppress(Exception):
            _end_processes(str(inner))
        _remove(folder)
        if lock is not None:
            os.close(lock)


def temporary_folder() -> Path:
    """A folder for temporary folders with Ray's sockets: TMPDIR if that will do.

    Raises:
        UsageError: there is none; the message has the fault of each candidate.
    """
    faults = []
    named = [(f"{name}={os.environ[name]}", name) for name in _VARIABLES if os.environ.get(name)]
    candidates = [(shown, Path(os.environ[name])) for shown, name in named]
    for shown, folder in [*candidates, *((path, Path(path)) for path in _ALWAYS)]:
        fault = _fault(folder)
        if fault is None:
            return folder
        faults.append(f"{shown} {fault}")
    raise UsageError(
        f"Ray has no folder for its sockets: {'; '.join(faults)}. Set TMPDIR to a short folder "
        f"with room, or train in this process: {option('runner', 'inline')}."
    )


def _fault(folder: Path) -> str | None:
    """The reason why Ray cannot use a folder; None if it can."""
    text = str(folder)
    longest = _SOCKET_BYTES - len(_OURS) - len(_RAYS)
    if not folder.is_absolute():
        return "is not an absolute path"
    if not text.isascii():
        return "is not ASCII, which Ray's paths must be"
    if len(text) > longest:
        return f"has {len(text)} characters, and Ray's sockets leave room for {longest}"
    try:
        free = shutil.disk_usage(folder).free
        if free < _NEEDED_BYTES:
            return f"has {free / 1e6:.0f} MB free of the {_NEEDED_BYTES / 1e6:.0f} MB needed"
        Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder)).rmdir()
    except OSError as error:
        return f"cannot be written ({error.strerror})"
    return None


def _locked(folder: Path) -> int | None:
    """Marks a folder as in use for as long as this process lives and the file stays open.

    The file gets its name once it is locked, so that no other search finds it unlocked.
    """
    handle, name = tempfile.mkstemp(dir=folder)
    try:
        _lock(handle)
        Path(name).rename(folder / _LOCK)
    except (OSError, ImportError):
        os.close(handle)
        return None
    return handle


def _lock(handle: int) -> None:
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove_abandoned(parent: Path) -> None:
    """Removes the folders of this user's drivers that were killed."""
    for lock in parent.glob(f"{_PREFIX}*/{_LOCK}"):
        with suppress(OSError, ImportError):
            if lock.parent.lstat().st_uid != os.getuid():
                continue
            handle = os.open(lock, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                _lock(handle)
                _remove(lock.parent)
            finally:
                os.close(handle)


def _remove(folder: Path) -> None:
    """Removes a folder, its lock last: a later search finds by it what cannot be removed now."""
    shutil.rmtree(folder / _INNER, ignore_errors=True)
    if not (folder / _INNER).exists():
        shutil.rmtree(folder, ignore_errors=True)


def _end_processes(inner: str) -> None:
    """Kills Ray's processes that still run: it keeps no account of a start that failed."""
    psutil = ray_internals.psutil()
    left = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if any(inner in argument for argument in child.cmdline()):
                child.kill()
                left.append(child)
    psutil.wait_procs(left, timeout=_END_S)
