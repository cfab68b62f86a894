"""Reads YAML as plain values with line numbers, and finds faults of syntax.

YAML 1.1 reads some numbers differently from people: `0100` is 64, `3:20` is 200. In the
`parameters` of a space these are faults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml

from xortune.errors import SpaceError

_MAX_NODES = 10_000
# Python takes hours to read some numbers of a hundred thousand digits.
_MAX_DIGITS = 1000
_TAG = "tag:yaml.org,2002:"
_NUMBERS = (f"{_TAG}int", f"{_TAG}float")
# Unambiguous numbers; underscores may separate thousands.
_PLAIN_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:_[0-9]{3})+)")
_PLAIN_FLOAT = re.compile(
    r"[-+]?(?:(?:[0-9]+|[0-9]{1,3}(?:_[0-9]{3})+)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
# What constructing a value raises for tags and texts of other kinds.
_CONSTRUCTION_ERRORS = (
    yaml.YAMLError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError,
)  # fmt: skip


class _Loader(yaml.SafeLoader):
    """Also reads 1e-3 as a number, as YAML 1.2 does."""


_Loader.add_implicit_resolver(
    f"{_TAG}float",
    re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


@dataclass
class Text:
    """The content of a YAML text; a place is such as `parameters.width.min`."""

    content: Any = None  # plain values; None in place of a value with a fault
    lines: dict[str, int] = field(default_factory=dict)  # by place, from 1
    faults: list[str] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)  # the places of values with a fault


def plain_number(text: str) -> float | int | None:
    """The number that a text unambiguously spells; None for any other text."""
    if len(text) > _MAX_DIGITS:
        return None
    if _PLAIN_INT.fullmatch(text):
        return int(text)
    is_float = _PLAIN_FLOAT.fullmatch(text) and re.search("[.eE]", text) and "n" not in text.lower()
    return float(text) if is_float else None


def parse_yaml(text: str, source: str) -> Text:
    """The values of a YAML text, and the faults of single values, such as tags or `0100`.

    Raises SpaceError if the text is not YAML, or too large once its aliases are resolved.
    """
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        walk = _Walk(loader)
        if node is not None:
            walk.text.content = walk.value(node, "")
        return walk.text
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise SpaceError(source, [f"{place}not valid YAML: {error.problem}"]) from None
    except yaml.YAMLError as error:
        raise SpaceError(source, [f"not valid YAML: {str(error).splitlines()[0]}"]) from None
    except RecursionError:
        raise SpaceError(source, ["nested too deeply: not a search space"]) from None
    finally:
        if loader is not None:
            loader.dispose()


class _Walk:
    """Turns YAML nodes into values, and records faults and lines."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._nodes = 0
        self._open: set[int] = set()
        self.text = Text()

    def value(self, node: yaml.Node, place: str) -> Any:
        self._count()
        self.text.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.CollectionNode):
            return self._collection(node, place)
        if len(node.value) > _MAX_DIGITS and node.tag in _NUMBERS:
            text = f"a number of {len(node.value)} characters; write it shorter"
            return self._unread(node, place, text)
        try:
            value = self._loader.construct_object(node)
        except _CONSTRUCTION_ERRORS:
            text = f"the tag {node.tag!r} is not a plain value; write the value"
            return self._unread(node, place, text)
        trap = _trap(node, value) if place.startswith("parameters") else None
        return value if trap is None else self._unread(node, place, trap)

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise yaml.YAMLError(f"more than {_MAX_NODES} values: not a search space")

    def _collection(self, node: yaml.CollectionNode, place: str) -> Any:
        if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            return self._unread(node, place, f"the tag {node.tag!r} is not a plain value; drop it")
        with self._opened(node, place):
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, place)
            return [self.value(child, f"{place}[{i}]") for i, child in enumerate(node.value)]

    @contextmanager
    def _opened(self, node: yaml.Node, place: str) -> Iterator[None]:
        if id(node) in self._open:
            raise yaml.YAMLError(f"{place} contains itself through an alias")
        self._open.add(id(node))
        try:
            yield
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, place: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in self._pairs(node, place):
            key = str(key_node.value)
            inner = f"{place}.{key}" if place else key
            self.text.lines[inner] = key_node.start_mark.line + 1
            values[key] = self.value(value_node, inner)
        return values

    def _pairs(self, node: yaml.MappingNode, place: str) -> list[tuple[yaml.Node, yaml.Node]]:
        """The keys and values of a mapping, including those that `<<` merges.

        The mapping's own keys take precedence, then earlier mappings of a merged list.
        """
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merges = 0
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(key_node, place, "a key is one word, not a list or a mapping")
                continue
            key = str(key_node.value)
            inner = f"{place}.{key}" if place else key
            if key_node.tag == f"{_TAG}merge":
                merges += 1
                if merges > 1:
                    remedy = "the key appears twice; merge a list: <<: [*first, *second]"
                    self._fault(key_node, inner, remedy)
                for pair in self._merged(value_node, inner):
                    merged.setdefault(str(pair[0].value), pair)
            else:
                if key in own:
                    self._fault(key_node, inner, "the key appears twice; drop one")
                own[key] = (key_node, value_node)
        return list({**merged, **own}.values())

    def _merged(self, node: yaml.Node, place: str) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """The pairs of the mappings that a `<<` names."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for part in parts:
            self._count()
            if not isinstance(part, yaml.MappingNode):
                text = "expected a mapping or a list of mappings from elsewhere, such as <<: *name"
                self._fault(part, place, text)
                continue
            with self._opened(part, place):
                pairs = self._pairs(part, place)
            for pair in pairs:
                self._count()
                yield pair

    def _unread(self, node: yaml.Node, place: str, text: str) -> None:
        self.text.unread.add(place)
        self._fault(node, place, text)

    def _fault(self, node: yaml.Node, place: str, text: str) -> None:
        line = node.start_mark.line + 1
        self.text.faults.append(f"{place or 'top'} (line {line}): {text}")


def _trap(node: yaml.Node, value: Any) -> str | None:
    """The fault of a scalar that YAML 1.1 reads differently from people."""
    text = str(node.value)
    if node.tag == f"{_TAG}timestamp":
        return f"YAML reads {text} as a date; write a number, or put text in quotes"
    if node.tag == f"{_TAG}bool" and text.lower() not in ("true", "false"):
        truth = str(value).lower()
        return f"YAML reads {text} as the truth value {truth}; write {truth}, a number or a name"
    if node.tag not in _NUMBERS or isinstance(value, bool):
        return None
    fits = _PLAIN_INT if node.tag == _NUMBERS[0] else _PLAIN_FLOAT
    if fits.fullmatch(text):
        return None
    meant = f"{value:.15g}" if isinstance(value, float) else f"{value}"
    also = ""
    if _OCTAL.fullmatch(text):
        digits = text.lstrip("+-").replace("_", "").lstrip("0")
        also = f", or {'-' if text.startswith('-') else ''}{digits} for the decimal number"
    return f"YAML reads {text} as {meant[:40]}; write {meant[:40]} if that is meant{also}"
