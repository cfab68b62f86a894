"""Atomic file writes that never follow links."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from xortune.errors import XortuneError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_REMEDY = "Free space or restore access, then resume the study."


def write_whole(folder: str | os.PathLike[str], name: str, content: bytes) -> None:
    """Replaces a file, or a link, atomically.

    Raises:
        XortuneError: for example, the disk is full. The earlier file is kept.
    """
    # The same name for all, so that the next write replaces a file left behind by a kill.
    partial = f"{folder}/.partial"
    try:
        _write_new(partial, content)
        os.rename(partial, f"{folder}/{name}")  # noqa: PTH104
    except OSError as error:
        with suppress(OSError):
            os.unlink(partial)  # noqa: PTH108
        raise not_written(f"{folder}/{name}", error) from error


def real_folder(folder: str | os.PathLike[str]) -> bool:
    """Whether the folder exists.

    Raises:
        XortuneError: it is a link or another file.
    """
    try:
        mode = os.lstat(folder).st_mode
    except FileNotFoundError:
        return False
    except OSError as error:
        raise not_written(folder, error) from error
    if stat.S_ISDIR(mode):
        return True
    raise XortuneError(
        f"{folder} is {'a link' if stat.S_ISLNK(mode) else 'not a folder'}, but a study writes "
        "only to its own folders. Put a folder in its place, then resume the study."
    )


def not_written(file: str | os.PathLike[str], error: OSError) -> XortuneError:
    """The error for a file that cannot be written."""
    remedy = _REMEDY
    if isinstance(error, FileNotFoundError):
        remedy = "Was its folder moved or removed? Put it back, then resume the study."
    return XortuneError(f"{file} could not be written: {error.strerror or error}. {remedy}")


def _write_new(file: str, content: bytes) -> None:
    # Always a new file: an existing one may be a symbolic or a hard link to another file.
    try:
        descriptor = os.open(file, _NEW, 0o666)
    except FileExistsError:
        os.unlink(file)  # noqa: PTH108
        descriptor = os.open(file, _NEW, 0o666)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)
