"""Converts and checks values given in files and in Python."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

from xortune.space.vocabulary import likely, listed, shown, spelled
from xortune.spec import Parameter, ProblemSpec
from xortune.trial import Value

# Records a fault, given its place and its text.
Fault = Callable[[str, str], None]
_LARGEST = {"int": 2**53, "float": sys.float_info.max}
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
        return {
            str(key) if isinstance(key, str) else key: plain(inner, depth - 1)
            for key, inner in value.items()
        }
    if callable(getattr(value, "tolist", None)):  # arrays, tensors and series
        listed = value.tolist()
        return _number(listed) if isinstance(listed, type(value)) else plain(listed, depth)
    if isinstance(value, (list, tuple, range)) and depth > 0:
        return [plain(inner, depth - 1) for inner in value]
    return _number(value)


def _number(value: Any) -> Any:
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def read_value(
    spec: ProblemSpec, parameter: Parameter, value: Any, place: str, fault: Fault
) -> Value | None:
    """The value as the parameter's type; None after a fault."""
    if parameter.kind == "choice":
        chosen = _chosen(parameter, value)
        if chosen is None:
            fault(place, _no_choice(parameter, value, spec.aliases))
        return chosen
    number = finite_number(parameter, value)
    if number is not None:
        typed = float(number) if parameter.kind == "float" else number
        if parameter.takes(typed):
            return typed
    fault(place, not_taken(parameter.name, _taken(parameter), value))
    return None


def read_number(parameter: Parameter, value: Any, place: str, fault: Fault) -> float | int | None:
    """The value as a number, even outside the parameter's bounds; None after a fault."""
    number = finite_number(parameter, value)
    if number is None:
        fault(place, not_taken(parameter.name, _taken(parameter), value))
    return number


def finite_number(parameter: Parameter, value: Any) -> float | int | None:
    """A finite number, as an int where the parameter takes ints; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        if not math.isfinite(value):
            return None
    except OverflowError:
        return None
    if parameter.kind == "int" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def not_taken(name: str, taken: str, value: Any) -> str:
    """The fault of a value that is not one of the expected numbers."""
    return f"{name} takes {taken}, found {shown(value)}{_unquoted(value)}"


def has_order(parameter: Parameter) -> bool:
    """Whether a range of the parameter's values is meaningful."""
    if parameter.kind != "choice":
        return True
    return parameter.ordered and all(_sort(choice) is float for choice in parameter.choices)


def _chosen(parameter: Parameter, value: Any) -> Value | None:
    """The choice equal to a value: 8.0 is the choice 8, but True is not the choice 1."""
    same = (c for c in parameter.choices if _sort(c) is _sort(value) and c == value)
    return next(same, None)


def _sort(value: Any) -> type:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float if number else type(value)


def _no_choice(parameter: Parameter, value: Any, aliases: Mapping[str, str]) -> str:
    """The fault of a value that is not one of the choices."""
    texts = [choice for choice in parameter.choices if isinstance(choice, str)]
    others = [spelled(choice) for choice in parameter.choices if not isinstance(choice, str)]
    hint = likely(str(value), texts, aliases)
    if isinstance(value, str) and value.lower() in others:
        hint = f" (write {value.lower()} without quotes)"
    if value is None:
        hint = " (null is not a value; write a text, such as 'none')"
    if value is not None and not isinstance(value, (bool, int, float, str)):
        as_text = ""
        if isinstance(value, (list, tuple)):
            as_text = ". A function can take a text instead, such as '64-32', and split it"
        return (
            f"{parameter.name} has no choice {shown(value)}: a choice is a number, a text, or "
            f"true or false{as_text}"
        )
    if not parameter.choices:
        return f"{parameter.name} has no choice {shown(value)}{hint}"
    there_are = f"there are {listed(parameter.choices)}"
    return f"{parameter.name} has no choice {shown(value)}{hint}; {there_are}"


def _taken(parameter: Parameter) -> str:
    """The numbers that a parameter takes, in words."""
    if parameter.kind == "choice":
        return "bounds that are numbers"
    numbers = "whole numbers" if parameter.kind == "int" else "numbers"
    # The largest numbers of all are not worth a word.
    low, high = (
        None if bound is None or abs(bound) >= _LARGEST[parameter.kind] else bound
        for bound in (parameter.low, parameter.high)
    )
    if low is None:
        return numbers if high is None else f"{numbers} up to {spelled(high)}"
    if parameter.above_low:
        end = "" if high is None else f" and up to {spelled(high)}"
        return f"{numbers} above {spelled(low)}{end}"
    end = "up" if high is None else f"to {spelled(high)}"
    return f"{numbers} from {spelled(low)} {end}"


def _unquoted(value: Any) -> str:
    """A hint for a text that reads like a number."""
    if not isinstance(value, str) or len(value) > 30:
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    return f"; write it as a number: {number:.15g}" if math.isfinite(number) else ""
