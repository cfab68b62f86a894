"""Files that are there whole or not at all, and never behind a link."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from xortune.errors import XortuneError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_REMEDY = "Free space or restore access, then resume the study."


def write_whole(folder: str | os.PathLike[str], name: str, content: bytes) -> None:
    """Writes a file in place of an earlier one; a kill leaves the earlier one.

    Args:
        folder: an existing folder.
        name: the file's name; if it is a link, the link is replaced and not followed.
        content: all of it.

    Raises:
        XortuneError: there is no room for it, say; names the file and the remedy. The
            earlier file is still there.
    """
    # One name for all: whoever writes next finds what a kill left, and replaces it.
    partial = f"{folder}/.partial"
    try:
        _write_new(partial, content)
        os.rename(partial, f"{folder}/{name}")  # noqa: PTH104
    except OSError as error:
        with suppress(OSError):
            os.unlink(partial)  # noqa: PTH108
        raise not_written(f"{folder}/{name}", error) from error


def real_folder(folder: str | os.PathLike[str]) -> bool:
    """Whether it is there; makes nothing.

    Raises:
        XortuneError: it is a link or no folder, so what is written there would go elsewhere.
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
        f"{folder} is {'a link' if stat.S_ISLNK(mode) else 'no folder'}, and a study writes in "
        "folders of its own only. Put a folder in its place, then resume the study."
    )


def not_written(file: str | os.PathLike[str], error: OSError) -> XortuneError:
    """What to say of a file that cannot be written."""
    remedy = _REMEDY
    if isinstance(error, FileNotFoundError):
        remedy = "Was its folder moved or removed? Put it back, then resume the study."
    return XortuneError(f"{file} could not be written: {error.strerror or error}. {remedy}")


def _write_new(file: str, content: bytes) -> None:
    # Always a new file: an earlier one may be a link, or another name of somebody's file.
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
