"""JSON objects that all have the same names: written by a template, parsed many at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, TypeVar

from xortune.ledger.rows import Damage, canonical, real

K = TypeVar("K")


def template(names: tuple[str, ...]) -> str:
    """A JSON object with `%s` for every value: faster than encoding the object each time."""
    pairs = (canonical(name).replace("%", "%%") + ":%s" for name in names)
    return f"{{{','.join(pairs)}}}"


def float_json(value: Any) -> str:
    """A finite float, or null for None; raises ValueError for other floats."""
    if value is None:
        return "null"
    plain = real(value)
    return repr(plain) if isfinite(plain) else canonical(plain)  # raises ValueError


def score_json(value: float) -> str:
    """A finite float, or null for NaN."""
    return "null" if value != value else float_json(value)


def objects(
    texts: Mapping[K, str], names: tuple[str, ...], what: str, owner: Callable[[K], str]
) -> dict[K, tuple[Any, ...]]:
    """The values of JSON objects that all have these names, in this order.

    Args:
        texts: by what they belong to.
        names: of every object.
        what: the objects hold, for messages.
        owner: puts a key of `texts` into words.

    Raises:
        Damage: a text is not such an object.
    """
    try:
        found = [tuple(zip(*pairs)) for pairs in _parsed(list(texts.values()))]
        if all(keys == names for keys, _ in found):
            return {key: values for key, (_, values) in zip(texts, found)}
    except (ValueError, TypeError, RecursionError):
        pass
    if len(texts) == 1:
        (key,) = texts
        raise Damage(f"the {what} of {owner(key)} are not a JSON object of {', '.join(names)}")
    alone = ({key: text} for key, text in texts.items())
    return {k: values for one in alone for k, values in objects(one, names, what, owner).items()}


def _parsed(texts: list[str]) -> list[tuple[tuple[str, Any], ...]]:
    """The pairs of each JSON object; raises ValueError unless every text is one object."""
    if not texts:
        return []
    # A JSON string cannot contain a line break, so each break separates two objects, and no
    # text holds more than one.
    joined = ",\n".join(texts)
    breaks = len(texts) - 1
    if joined.count("\n") != breaks or joined.count("},\n{") != breaks:
        raise ValueError("an object contains a line break")
    found: list[Any] = json.loads(
        f"[{joined}]", object_pairs_hook=tuple, parse_constant=_no_constant
    )
    if len(found) != len(texts) or not all(type(pairs) is tuple for pairs in found):
        raise ValueError("some values are not objects")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
