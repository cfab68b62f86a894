"""Converts numbers of NumPy, pandas and PyTorch to Python's, and rejects look-alikes."""

from __future__ import annotations

import operator
from typing import Any

_LONGEST = 80
_TORCH_FLOATS = ("torch.float", "torch.bfloat", "torch.double", "torch.half")


def whole_number(value: Any) -> int | None:
    """The value as an int; None if it is not an integer.

    NumPy's integers and arrays without dimensions count. A bool, a float such as 7.0 and a text
    such as "7" are not integers.

    Example:
        whole_number(study.best["number"])
    """
    # operator.index accepts truth values, also PyTorch's.
    if isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool"):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def real_number(value: Any) -> float | None:
    """The value as an int or a float; None if it is not a number."""
    whole = whole_number(value)
    if whole is not None:
        return whole
    if isinstance(value, float):
        return float(value)
    dtype = getattr(value, "dtype", None)
    is_float = getattr(dtype, "kind", "") == "f" or str(dtype).startswith(_TORCH_FLOATS)
    if is_float and tuple(getattr(value, "shape", (0,))) == ():
        # PyTorch warns of float() while a gradient is tracked.
        return float(value.item())
    return None


def brief(value: Any) -> str:
    """A value as quoted in a message; NumPy's numbers without their type."""
    plain = real_number(value)
    try:
        text = repr(value if plain is None else plain)
    except Exception:  # Any object may raise, as does an int of 5,000 digits.
        text = f"a value of type {type(value).__name__}"
    text = " ".join(text.split("\n"))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
