"""Search-space files: YAML with line numbers, shipped names, and what may be wrong with both."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from xortune.errors import SpaceError, UsageError
from xortune.space.domains import SearchSpace
from xortune.space.parse import parse_space

_PACKAGE = Path(__file__).resolve().parent.parent
# A wheel carries the files inside the package; a checkout has them beside it.
_SHIPPED = (_PACKAGE / "search_spaces", _PACKAGE.parent / "search_spaces")
# Seconds of PyYAML's time, at the most.
_MAX_BYTES = 100_000
_MAX_NODES = 10_000
# More than any number needs; Python takes hours for some of a hundred thousand digits.
_MAX_DIGITS = 1000


def load_space(source: str | Path | Mapping[str, Any]) -> SearchSpace:
    """A search space from a shipped name, a file's path, or the content of such a file.

    A mapping may be the whole content or the `parameters` block alone.

    Raises:
        UsageError: there is no such file.
        SpaceError: it has faults; names them all.
    """
    if isinstance(source, Mapping):
        content = source if "parameters" in source else {"parameters": source}
        return parse_space("custom", "custom", content, {})
    path = space_file(str(source))
    content, lines = _read(path)
    return parse_space(path.stem, str(source), content, lines)


def shipped_spaces() -> dict[str, Path]:
    """The search spaces that come with the package, by name."""
    folder = next((folder for folder in _SHIPPED if folder.is_dir()), None)
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))} if folder else {}


def space_file(source: str) -> Path:
    """The file of a shipped name or a path.

    Raises:
        UsageError: there is no such file.
    """
    path = Path(source)
    shipped = shipped_spaces()
    if _exists(path) and not (source in shipped and path.is_dir()):
        return path
    if source in shipped:
        return shipped[source]
    close = difflib.get_close_matches(source, shipped, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UsageError(
        f"no search space {source!r}: neither a file nor a shipped name.{hint} "
        f"Shipped: {', '.join(shipped)}."
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise UsageError(f"search space {path}: cannot be read: {error.strerror}.") from None


def _read(path: Path) -> tuple[Any, dict[str, int]]:
    try:
        if not (path.is_file() or path.is_dir()):
            # A pipe that nobody writes to would never end.
            raise UsageError(f"search space {path}: cannot be read: it is no regular file.")
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
    return read_yaml(text, str(path))


def read_yaml(text: str, source: str) -> tuple[Any, dict[str, int]]:
    """Plain values of a YAML text, and the line of each place such as `parameters.lr.min`.

    Raises:
        SpaceError: it is no YAML, has a key twice, or a tag that is no plain value.
    """
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        walk = _Walk(loader)
        content = walk.value(node, "") if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise SpaceError(source, [f"{place}no valid YAML: {error.problem}"]) from None
    except yaml.YAMLError as error:
        raise SpaceError(source, [f"no valid YAML: {str(error).splitlines()[0]}"]) from None
    except RecursionError:
        raise SpaceError(source, ["nested too deeply: not a search space"]) from None
    finally:
        if loader is not None:
            loader.dispose()
    if walk.faults:
        raise SpaceError(source, walk.faults)
    return content, walk.lines


class _Loader(yaml.SafeLoader):
    """Also reads 1e-3 as a number, as YAML 1.2 does and YAML 1.1 does not."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)

_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class _Walk:
    """Turns YAML nodes into values, keeping the faults and each place's line."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._nodes = 0
        self._open: set[int] = set()
        self.faults: list[str] = []
        self.lines: dict[str, int] = {}

    def value(self, node: yaml.Node, place: str) -> Any:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise yaml.YAMLError(f"more than {_MAX_NODES} values: not a search space")
        self.lines[place] = node.start_mark.line + 1
        if isinstance(node, yaml.CollectionNode):
            return self._collection(node, place)
        if len(node.value) > _MAX_DIGITS and node.tag in _NUMBERS:
            self._fault(node, place, f"a number of {len(node.value)} characters; write it shorter")
            return None
        try:
            return self._loader.construct_object(node)
        except (
            yaml.YAMLError,
            ValueError,
            ArithmeticError,
            LookupError,
            TypeError,
            AttributeError,
        ):
            self._fault(node, place, f"the tag {node.tag!r} is no plain value; write the value")
            return None

    def _collection(self, node: yaml.CollectionNode, place: str) -> Any:
        if node.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self._fault(node, place, f"the tag {node.tag!r} is no plain value; drop it")
            return None
        if id(node) in self._open:
            raise yaml.YAMLError(f"{place} contains itself through an alias")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, place)
            return [self.value(child, f"{place}[{i}]") for i, child in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, place: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(key_node, place, "a key is one word, not a list or a mapping")
                continue
            key = str(key_node.value)
            inner = f"{place}.{key}" if place else key
            if key in values:
                self._fault(key_node, inner, "the key stands twice; drop one")
            values[key] = self.value(value_node, inner)
            self.lines[inner] = key_node.start_mark.line + 1
        return values

    def _fault(self, node: yaml.Node, place: str, text: str) -> None:
        mark = node.start_mark
        self.faults.append(f"{place or 'top'} (line {mark.line + 1}): {text}")
