"""Spaces given in Python, as the plain values that a file would hold."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

# A parameter's values lie this deep in the content of a file: parameters, a name, values, a number.
_DEEPEST = 4


def plain(value: Any, depth: int = _DEEPEST) -> Any:
    """Mappings as dictionaries, sequences as lists, numbers of NumPy and the like as numbers.

    Anything else stays as it is, for the caller to refuse.
    """
    if isinstance(value, (bool, bytes)) or value is None or type(value) in (int, float, str):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        if depth == 0:
            return value
        return {_key(key): plain(inner, depth - 1) for key, inner in value.items()}
    if callable(getattr(value, "tolist", None)):  # arrays, tensors, series, and their numbers
        listed = value.tolist()
        return _number(listed) if isinstance(listed, type(value)) else plain(listed, depth)
    if isinstance(value, (list, tuple, range)) and depth > 0:
        return [plain(inner, depth - 1) for inner in value]
    return _number(value)


def _key(key: Any) -> Any:
    return str(key) if isinstance(key, str) else key


def _number(value: Any) -> Any:
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value
