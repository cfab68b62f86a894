"""Finds and reads search-space files, by path or shipped name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xortune.errors import SpaceError, UsageError
from xortune.paths import shipped_spaces
from xortune.space.domains import SearchSpace
from xortune.space.parse import parse_space
from xortune.space.values import plain
from xortune.space.yaml_text import Text, parse_yaml
from xortune.spec import ProblemSpec
from xortune.wording import option

# The endings of files that another setting takes.
_NOT_SPACES = {"data": (".csv", ".tsv", ".parquet", ".npz", ".pt"), "problem": (".py",)}
_CUSTOM = "custom"  # the name of a space given in Python
_MAX_BYTES = 100_000  # PyYAML reads this much within seconds.


def load_space(source: str | Path | Mapping[str, Any], spec: ProblemSpec) -> SearchSpace:
    """A search space from a shipped name, a file's path, or the content of such a file.

    Args:
        source: a name, a path, or a mapping: the content of a file, or its `parameters` alone.
        spec: of the problem.

    Raises:
        UsageError: there is no such file.
        SpaceError: names all faults of the space.
    """
    if isinstance(source, Mapping):
        return parse_space(spec, _CUSTOM, _CUSTOM, Text(_whole_content(source)))
    path = space_file(str(source))
    return parse_space(spec, path.stem, str(source), _read(path))


def space_content(source: str | Path | Mapping[str, Any]) -> tuple[str, Any]:
    """The name of a search space in messages and its unchecked content; raises as `load_space`."""
    if isinstance(source, Mapping):
        return _CUSTOM, _whole_content(source)
    return str(source), _read(space_file(str(source))).content


def _whole_content(given: Mapping[str, Any]) -> Any:
    """The content of a file, from the same or from its `parameters` alone; in plain values."""
    content = plain(given)
    return content if "parameters" in content else {"parameters": content}


def space_file(source: str) -> Path:
    """The file of a shipped name or a path; raises UsageError if there is none."""
    path = Path(source)
    shipped = shipped_spaces()
    for setting, endings in _NOT_SPACES.items():
        if path.suffix.lower() in endings:
            raise UsageError(
                f"{source!r} is not a search space. To search over it: {option(setting, source)}."
            )
    if _exists(path) and not (source in shipped and path.is_dir()):
        return path
    if source in shipped:
        return shipped[source]
    close = difflib.get_close_matches(source, shipped, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    if "=" in source:
        hint = f" To narrow a space: --set {source}, or narrow={[source]} in Python."
    raise UsageError(
        f"no search space {source!r}: neither a file nor a shipped name.{hint} "
        f"Shipped: {', '.join(shipped)}."
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise UsageError(f"search space {path}: cannot be read: {error.strerror}.") from None


def _read(path: Path) -> Text:
    try:
        if not (path.is_file() or path.is_dir()):
            # Reading a pipe without a writer would never end.
            raise UsageError(f"search space {path}: cannot be read: it is not a regular file.")
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise SpaceError(str(path), ["the file is larger than 100 kB: not a search space"])
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fault = f"byte {error.start} is not UTF-8 text; save the file as UTF-8"
        raise SpaceError(str(path), [fault]) from None
    except OSError as error:
        raise UsageError(f"search space {path}: cannot be read: {error.strerror}.") from None
    return parse_yaml(text, str(path))
