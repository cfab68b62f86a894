"""A parameter's entry in a search-space file: to its domain and back, naming every fault.

Unlike in W&B, both bounds are included on a grid too. `q_log_uniform` follows W&B to the
letter: its lowest and highest values are the multiples of q nearest to the bounds, since
exponents such as 3.466 are rounded themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from xortune.space.domains import Choice, Domain, Range, Value, multiples
from xortune.space.vocabulary import (
    DISTRIBUTIONS,
    KEYS,
    NOT_OFFERED,
    RANGES,
    Shape,
    shown,
    unknown_distribution,
    unknown_key,
    unknown_loss_fn,
)
from xortune.trial import LOSS_FNS

# Largest float32: the engine trains in float32.
_MAX_LR = 3.4e38
# PyTorch's CPU generator uses the low 32 bits of a seed.
_MAX_SEED = 2**32 - 1
_MAX_EPOCHS = 2**31 - 1

Fault = Callable[[str, str], None]


def read_entry(parameter: str, entry: Any, fault: Fault) -> Domain | None:
    """The domain that an entry of the `parameters` block describes; None after a fault."""
    place = f"parameters.{parameter}"
    if not isinstance(entry, Mapping):
        several = isinstance(entry, (list, tuple))
        remedy = "several values write 'values" if several else "a constant write 'value"
        fault(place, f"expected a mapping, found {shown(entry)}; for {remedy}: ...'")
        return None
    distribution = entry.get("distribution")
    if isinstance(distribution, str) and distribution in NOT_OFFERED:
        fault(f"{place}.distribution", unknown_distribution(distribution))
        return None
    unknown = [key for key in entry if key not in KEYS]
    for key in unknown:
        fault(f"{place}.{key}", unknown_key(key))
    if distribution is not None and distribution not in DISTRIBUTIONS:
        fault(f"{place}.distribution", unknown_distribution(distribution))
        return None
    forms = [key for key in ("value", "values", "min", "max") if key in entry]
    if not forms:
        if not unknown:
            fault(place, "give value, values, or min and max")
        return None
    if len(forms) > 1 and forms != ["min", "max"]:
        fault(place, f"give value, values, or min and max; found {', '.join(forms)} together")
        return None
    if forms == ["value"]:
        return _constant(parameter, entry, place, fault)
    if forms == ["values"]:
        return _choices(parameter, entry, place, fault)
    return _range(parameter, entry, place, fault)


def written_entry(domain: Domain) -> dict[str, Any]:
    """The entry that `read_entry` makes this domain of."""
    if isinstance(domain, Choice):
        values = list(domain.values)
        return {"values": values} if len(values) > 1 else {"value": values[0]}
    bounds: dict[str, Any] = {"min": domain.low, "max": domain.high}
    if domain.step is None and not (domain.whole and domain.log):
        plain = "int_uniform" if domain.whole else "uniform"
        return {"distribution": "log_uniform_values" if domain.log else plain, **bounds}
    distribution = "q_log_uniform_values" if domain.log else "q_uniform"
    return {"distribution": distribution, **bounds, "q": domain.step or 1}


def _constant(parameter: str, entry: Mapping[str, Any], place: str, fault: Fault) -> Domain | None:
    value = entry["value"]
    if isinstance(value, (list, tuple)):
        fault(
            f"{place}.value",
            f"expected one value, found {shown(value)}; for several write 'values: ...'",
        )
        return None
    return _choice(parameter, [value], f"{place}.value", "constant", entry, fault)


def _choices(parameter: str, entry: Mapping[str, Any], place: str, fault: Fault) -> Domain | None:
    values = entry["values"]
    if not isinstance(values, (list, tuple)) or not values:
        one = isinstance(values, (int, float, str)) and not isinstance(values, bool)
        remedy = f"; for one value write 'value: {shown(values)}'" if one else ""
        fault(
            f"{place}.values",
            f"expected a list of at least one value, found {shown(values)}{remedy}",
        )
        return None
    return _choice(parameter, list(values), f"{place}.values", "categorical", entry, fault)


def _choice(
    parameter: str,
    values: list[Any],
    place: str,
    form: str,
    entry: Mapping[str, Any],
    fault: Fault,
) -> Domain | None:
    if (entry.get("distribution") or form) != form:
        fault(place, f"does not go with the distribution {entry['distribution']}; drop one of them")
    if "q" in entry:
        fault(place, "q goes with min and max only; drop it")
    checked = [read_value(parameter, value, place, fault) for value in values]
    if any(value is None for value in checked):
        return None
    distinct = tuple(dict.fromkeys(value for value in checked if value is not None))
    if len(distinct) < len(values):
        fault(place, f"a value is given twice in {shown(values)}; remove one")
        return None
    return Choice(distinct)


def _range(parameter: str, entry: Mapping[str, Any], place: str, fault: Fault) -> Domain | None:
    if parameter == "loss_fn":
        fault(place, f"has no order, so no min and max; write values: [{', '.join(LOSS_FNS)}]")
        return None
    missing = [key for key in ("min", "max") if key not in entry]
    if missing:
        fault(place, f"{missing[0]} is missing; give min and max")
        return None
    plain = all(isinstance(entry[key], int) for key in ("min", "max"))
    distribution = entry.get("distribution") or ("int_uniform" if plain else "uniform")
    if distribution not in RANGES:
        fault(f"{place}.distribution", f"{distribution} goes with value or values, not min and max")
        return None
    shape = RANGES[distribution]
    step = _step(parameter, entry.get("q", 1), f"{place}.q", fault) if shape.grid else None
    bounds = _bounds(parameter, entry, shape, step, place, fault)
    if not shape.grid and "q" in entry:
        fault(
            f"{place}.q", f"does not go with {distribution}; use q_uniform or q_log_uniform_values"
        )
        return None
    if bounds is None or (shape.grid and step is None):
        return None
    low, high = bounds
    both_whole = isinstance(low, int) and isinstance(high, int)
    if both_whole and "distribution" not in entry:
        distribution = "int_uniform"
    if distribution == "int_uniform" and not both_whole:
        fault(place, "int_uniform needs whole numbers as min and max; use uniform for fractions")
        return None
    whole = both_whole and (distribution == "int_uniform" or isinstance(step, int))
    if parameter != "lr" and not whole:
        fault(f"{place}.distribution", _fractions(parameter, distribution, shape))
        return None
    made = _made_range(low, high, shape.log, step, whole, place, fault)
    if made is not None and low == high:
        return Choice((float(low) if parameter == "lr" else low,))
    return made


def _fractions(parameter: str, distribution: str, shape: Shape) -> str:
    logarithmic = "q_log_uniform" if shape.exponents else "q_log_uniform_values"
    bounds = "" if shape.exponents else ", and whole bounds"
    return (
        f"{distribution} gives fractions, and {parameter} takes whole numbers; use "
        f"int_uniform, or {logarithmic} with q: 1{bounds}"
    )


def _bounds(
    parameter: str,
    entry: Mapping[str, Any],
    shape: Shape,
    step: float | int | None,
    place: str,
    fault: Fault,
) -> tuple[float | int, float | int] | None:
    """The lowest and the highest value, as numbers that the parameter can be."""
    given = [_number(parameter, entry[key], f"{place}.{key}", fault) for key in ("min", "max")]
    low, high = given
    if low is None or high is None:
        return None
    if low > high:
        fault(place, f"min {low} is above max {high}; swap them")
        return None
    if shape.log and not shape.exponents and low <= 0:
        fault(f"{place}.min", f"a logarithm starts above 0, found {low}; raise min")
        return None
    if not shape.exponents:
        checked = [
            read_value(parameter, bound, f"{place}.{key}", fault)
            for key, bound in (("min", low), ("max", high))
        ]
        return None if None in checked else (low, high)
    if shape.grid and step is None:
        return None
    first = _power(parameter, low, step, f"{place}.min", fault)
    last = _power(parameter, high, step, f"{place}.max", fault)
    return None if first is None or last is None else (first, last)


def _power(
    parameter: str, exponent: float | int, step: float | int | None, place: str, fault: Fault
) -> float | int | None:
    """The bound whose natural logarithm is given: with a step, the multiple nearest to it."""
    try:
        exact = math.exp(exponent)
    except OverflowError:
        exact = math.inf
    bound: float | int = exact
    if step is not None and exact / step < math.inf:
        bound = round(exact / step) * step

    def fault_of_power(place: str, text: str) -> None:
        fault(place, f"{text}{_of_power(exponent, exact, bound, step)}")

    if not 0 < bound < math.inf:
        fault_of_power(place, "a bound lies above 0, and is finite")
        return None
    if step is None and parameter != "lr":
        return bound
    return None if read_value(parameter, bound, place, fault_of_power) is None else bound


def _of_power(
    exponent: float | int, exact: float, bound: float | int, step: float | int | None
) -> str:
    nearest = "" if step is None else f", to which the nearest multiple of q {step} is {bound}"
    instead = "log_uniform_values" if step is None else "q_log_uniform_values"
    return (
        f"; min and max are natural logarithms here, and {exponent} is that of {exact:.6g}"
        f"{nearest}; if it is the bound itself, use {instead}"
    )


def _made_range(
    low: float | int,
    high: float | int,
    log: bool,
    step: float | int | None,
    whole: bool,
    place: str,
    fault: Fault,
) -> Range | None:
    if step is not None:
        if not math.isfinite(high / step):
            fault(f"{place}.q", f"q {step} is far below max {high}; raise it")
            return None
        first, last = multiples(low, high, step)
        if last < first:
            fault(place, f"no multiple of q {step} lies between min {low} and max {high}")
            return None
        if whole and step == 1:
            step = None
    if not whole:
        low, high = float(low), float(high)
    return Range(low, high, log, step)


def _number(parameter: str, value: Any, place: str, fault: Fault) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        fault(place, f"expected a number, found {shown(value)}{_unquoted(value)}")
        return None
    if not _finite(value):
        fault(place, f"expected a finite number, found {shown(value)}")
        return None
    if parameter != "lr" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _unquoted(value: Any) -> str:
    """How a text that reads like a number is written as one."""
    if not isinstance(value, str) or len(value) > 30:
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    return f"; write it as a number: {number:.15g}" if math.isfinite(number) else ""


def _finite(value: float | int) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _step(parameter: str, value: Any, place: str, fault: Fault) -> float | int | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not _finite(value) or value <= 0:
        fault(place, f"expected a number above 0, found {shown(value)}{_unquoted(value)}")
        return None
    step: float | int = value
    if parameter != "lr" and isinstance(step, float) and step.is_integer():
        return int(step)
    return step


def read_value(parameter: str, value: Any, place: str, fault: Fault) -> Value | None:
    """The value as the parameter takes it, or None after a fault."""
    if parameter == "loss_fn":
        if value in LOSS_FNS and isinstance(value, str):
            return value
        fault(place, unknown_loss_fn(value))
        return None
    number = _number(parameter, value, place, fault)
    if number is None:
        return None
    if parameter == "lr":
        if 0 < number <= _MAX_LR:
            return float(number)
        fault(place, f"a learning rate lies above 0 and below {_MAX_LR:g}, found {number}")
        return None
    low, high = (1, _MAX_EPOCHS) if parameter == "epochs" else (0, _MAX_SEED)
    if isinstance(number, int) and low <= number <= high:
        return number
    fault(place, f"{parameter} takes whole numbers from {low} to {high}, found {number}")
    return None
