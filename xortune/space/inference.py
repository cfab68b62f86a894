"""Infers the parameters of a problem that has no spec of its own from a search space.

A kind and its limits are those of a type, not of the space: another space of the same types is
one of the same problem.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xortune.errors import SpaceError
from xortune.space.files import space_content
from xortune.space.vocabulary import RANGES
from xortune.spec import Parameter
from xortune.trial import Value

# Integers up to this are exact in JSON and in floats.
LARGEST_INT = 2**53
LARGEST_FLOAT = sys.float_info.max
_UNORDERED = ("seed",)


def inferred_parameters(source: str | Path | Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters that a search space describes, in its order.

    `values` and `value` make a choice; whole bounds a whole number, unless the distribution says
    otherwise; other bounds a fraction. A parameter called `seed` is drawn, never modelled. Faults
    of single entries are left to `load_space`.

    Args:
        source: as for `load_space`.

    Raises:
        UsageError: there is no such file.
        SpaceError: the file is not YAML, or has no parameters.

    Example:
        inferred_parameters({"depth": {"values": [1, 2]}, "rate": {"min": 0.0, "max": 1.0}})
    """
    name, content = space_content(source)
    entries = content.get("parameters") if isinstance(content, Mapping) else None
    if not isinstance(entries, Mapping) or not entries:
        raise SpaceError(
            name, ["it has no parameters; write parameters: {rate: {min: 0.001, max: 0.1}}"]
        )
    return tuple(_parameter(str(key), entry) for key, entry in entries.items())


def _parameter(name: str, entry: Any) -> Parameter:
    ordered = name not in _UNORDERED
    if not isinstance(entry, Mapping):
        entry = {"value": entry}
    if "value" in entry or "values" in entry:
        values = entry.get("values", [entry.get("value")])
        choices = _choices(values if isinstance(values, (list, tuple)) else [values])
        numbers = all(type(choice) in (int, float) for choice in choices)
        return Parameter(
            name, "choice", choices[0] if choices else "", choices=choices,
            ordered=ordered and numbers,
        )  # fmt: skip
    low = entry.get("min")
    if _is_whole(entry):
        start = low if type(low) is int and abs(low) <= LARGEST_INT else 0
        return Parameter(name, "int", start, -LARGEST_INT, LARGEST_INT, ordered=ordered)
    default = float(low) if type(low) in (int, float) and _is_storable(low) else 0.0
    return Parameter(name, "float", default, -LARGEST_FLOAT, LARGEST_FLOAT, ordered=ordered)


def _choices(values: list[Any] | tuple[Any, ...]) -> tuple[Value, ...]:
    """The values that a study can record, each once; parsing names the others as faults."""
    # True is not 1, though equal to it: parsing says that it is given twice.
    return tuple({(type(v) is bool, v): v for v in values if _is_storable(v)}.values())


def _is_storable(value: Any) -> bool:
    if isinstance(value, (bool, str)):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and abs(value) <= LARGEST_INT


def _is_whole(entry: Mapping[str, Any]) -> bool:
    """Whether a range holds whole numbers only, by the rules of `entries`."""
    distribution = entry.get("distribution")
    shape = RANGES.get(distribution) if isinstance(distribution, str) else None
    bounds = [entry[key] for key in ("min", "max") if key in entry]
    whole = bool(bounds) and all(type(bound) is int for bound in bounds)
    if distribution is None:
        return whole
    if shape is None:
        return False
    if shape.grid:
        return type(entry.get("q", 1)) is int and (whole or shape.exponents)
    return bool(distribution == "int_uniform")
