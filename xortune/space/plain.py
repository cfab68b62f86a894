"""Converts spaces given in Python to the plain values that a file would hold."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

_DEEPEST = 4  # As in {"parameters": {"width": {"values": [8]}}}


def plain(value: Any, depth: int = _DEEPEST) -> Any:
    """Mappings as dictionaries, sequences as lists, and NumPy's numbers as Python's.

    Anything else is returned unchanged, for the caller to refuse.
    """
    if isinstance(value, (bool, bytes)) or value is None or type(value) in (int, float, str):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        if depth == 0:
            return value
        return {_key(key): plain(inner, depth - 1) for key, inner in value.items()}
    if callable(getattr(value, "tolist", None)):  # arrays, tensors and series
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
