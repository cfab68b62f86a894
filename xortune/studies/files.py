"""The files that people ask for of a study: where they may lie, and their writing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.wording import option


def checked_file(given: Any, folder: Path, endings: Mapping[str, str], *, force: bool) -> Path:
    """The path of a file that can be written.

    Args:
        given: by the caller.
        folder: of the study, which keeps its own files there.
        endings: the endings that name a format, each with its meaning.
        force: whether a file may be there already.

    Raises:
        UsageError: lists all faults.
    """
    if not isinstance(given, str | Path) or "\0" in str(given) or not str(given):
        raise UsageError(f"file {brief(given)}: expected the path of a file, as text.")
    path, faults = Path(given), []
    if path.suffix.lower() not in endings:
        known = ", ".join(f"{ending} ({meaning})" for ending, meaning in endings.items())
        faults.append(f"its ending names no format. Use one of {known}.")
    try:
        if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            faults.append("the study keeps its own files there. Choose another folder.")
        elif not path.parent.is_dir():
            faults.append(f"there is no folder {path.parent}. Create it first.")
        elif path.is_dir():
            faults.append("is a folder. Choose another name.")
        elif os.path.lexists(path) and not force:
            faults.append(f"exists already. Choose another name, or use {option('force', True)}.")
    except (OSError, ValueError) as error:  # ValueError: no file can have this name.
        faults.append(_not_written(error))
    if faults:
        raise UsageError("\n".join(f"file {brief(str(path))}: {fault}" for fault in faults))
    return path


def write_file(path: Path, content: bytes, *, force: bool) -> None:
    """Writes a file; if that fails, an earlier one is kept, and no part of the new one.

    Raises:
        UsageError: it cannot be written, or there is one by now and none may be.
    """
    # A new file in any case: an existing one may be a link to another.
    written = path.with_name(f".{path.name}.partial") if force else path
    try:
        if force:
            written.unlink(missing_ok=True)
        with written.open("xb") as file:
            try:
                file.write(content)
                file.flush()
            except OSError:
                written.unlink()
                raise
        if force:
            written.replace(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"file {brief(str(path))}: {_not_written(error)}") from None


def _not_written(error: Exception) -> str:
    reason = getattr(error, "strerror", None) or error
    return f"cannot be written: {reason}. Choose another file."
