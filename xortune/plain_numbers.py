"""Numbers from outside as Python's own: those of NumPy and pandas count, look-alikes do not."""

from __future__ import annotations

import operator
from typing import Any

_LONGEST = 80


def whole_number(value: Any) -> int | None:
    """The integer that a value is; None where it is anything else.

    An integer of NumPy's, also an array without dimensions, is that integer. A bool, a float
    such as 7.0 and a text such as "7" are not integers.

    Example:
        whole_number(study.best["number"])
    """
    # PyTorch's truth values can be indices; NumPy's and Python's are told apart likewise.
    if isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool"):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def real_number(value: Any) -> float | None:
    """The number that a value is, an int if it is one; None where it is anything else."""
    whole = whole_number(value)
    if whole is not None:
        return whole
    is_numpys = getattr(getattr(value, "dtype", None), "kind", "") == "f"
    if isinstance(value, float) or (is_numpys and getattr(value, "shape", None) == ()):
        return float(value)
    return None


def brief(value: Any) -> str:
    """A value as a message quotes it; a number of NumPy's as the number alone."""
    plain = real_number(value)
    try:
        text = repr(value if plain is None else plain)
    except Exception:  # Whatever an object from outside does; Python spells no 5,000 digits.
        text = f"a value of type {type(value).__name__}"
    text = " ".join(text.split("\n"))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
