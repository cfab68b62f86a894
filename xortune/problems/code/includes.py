"""Reads the text of a problem's file, and of the modules in the folders that it includes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from xortune.errors import UsageError
from xortune.wording import option

_MOST_BYTES = 1_000_000  # of a file
_MOST_FILES, _MOST_BYTES_IN_ALL = 1000, 10_000_000  # of a folder
# A study, and a virtual environment.
_NO_SOURCES = ("study.db", "pyvenv.cfg")


class Include(NamedTuple):
    """The Python files of a folder."""

    folder: str  # its name
    files: tuple[tuple[str, str], ...]  # relative paths with slashes, sorted, and their texts

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.files).encode()).hexdigest()[:32]


def read_include(folder: Path) -> tuple[Include, list[str]]:
    """The Python files below a folder, and a note on what was left out.

    Raises:
        UsageError: there is no such folder, it has no Python file, or too many.
    """
    what = f"{option('include')} {str(folder)!r}"
    if not folder.is_dir():
        raise UsageError(f"{what}: there is no such folder.")
    name = folder.resolve().name
    files, others = [], 0
    for path in _files(folder):
        relative = path.relative_to(folder).as_posix()
        if path.suffix == ".py":
            files.append((relative, read_text(path, f"{what}: {relative}")))
        else:
            others += 1
        size = sum(len(text) for _, text in files)
        if len(files) > _MOST_FILES or size > _MOST_BYTES_IN_ALL:
            raise UsageError(
                f"{what}: has more than {_MOST_FILES} Python files or "
                f"{_MOST_BYTES_IN_ALL // 1_000_000} MB of them. Include a smaller folder, or "
                "install it on the workers."
            )
    if not files:
        raise UsageError(f"{what}: has no Python file.")
    stay = "1 other file stays" if others == 1 else f"{others} other files stay"
    note = f"{what}: only Python files travel; {stay} behind."
    return Include(name, tuple(files)), [note] if others else []


def read_text(path: Path, what: str) -> str:
    """The text of a Python file, up to 1 MB.

    Raises:
        UsageError: begins with `what`.
    """
    try:
        if not path.exists():
            raise UsageError(f"{what}: there is no such file.")
        if not path.is_file():
            # Reading a pipe without a writer would never end.
            raise UsageError(f"{what}: is not a regular file.")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{what}: cannot be read: {error.strerror}.") from None
    if len(content) > _MOST_BYTES:
        raise UsageError(f"{what}: is larger than 1 MB; keep data out of it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{what}: byte {error.start} is not UTF-8 text; save the file as UTF-8."
        ) from None
    if "\0" in text:
        raise UsageError(f"{what}: holds a null character; it is not a Python file.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _files(folder: Path) -> Iterator[Path]:
    """The files below a folder in a fixed order, without hidden ones, caches and studies."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if _has_sources(Path(root) / f))
        for name in sorted(names):
            if name[0] != "." and (Path(root) / name).is_file():
                yield Path(root) / name


def _has_sources(folder: Path) -> bool:
    if folder.name[0] == "." or folder.name == "__pycache__":
        return False
    if folder.name == "results" and not os.path.lexists(folder / "__init__.py"):
        return False
    return not any(os.path.lexists(folder / name) for name in _NO_SOURCES)
