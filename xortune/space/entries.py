"""Converts a parameter's entry in a search-space file to its domain and back.

Unlike in W&B, both bounds of a grid are included. `q_log_uniform` is exactly W&B's: its lowest
and highest values are the multiples of q nearest to the bounds, since exponents such as 3.466
are rounded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xortune.space.domains import Choice, Domain, Range, multiples
from xortune.space.values import Fault, finite_number, not_taken, read_number, read_value
from xortune.space.vocabulary import (
    DISTRIBUTIONS,
    KEYS,
    NOT_OFFERED,
    RANGES,
    Shape,
    listed,
    shown,
    unknown_distribution,
    unknown_key,
)
from xortune.spec import Parameter, ProblemSpec


def read_entry(spec: ProblemSpec, parameter: Parameter, entry: Any, fault: Fault) -> Domain | None:
    """The domain of an entry in the `parameters` block; None after a fault."""
    place = f"parameters.{parameter.name}"
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
    read = _Entry(spec, parameter, entry, place, fault)
    if forms == ["value"]:
        return read.constant()
    return read.choices() if forms == ["values"] else read.range()


def written_entry(domain: Domain) -> dict[str, Any]:
    """The entry from which `read_entry` returns this domain."""
    if isinstance(domain, Choice):
        values = list(domain.values)
        return {"values": values} if len(values) > 1 else {"value": values[0]}
    bounds: dict[str, Any] = {"min": domain.low, "max": domain.high}
    if domain.step is None and not (domain.whole and domain.log):
        plain = "int_uniform" if domain.whole else "uniform"
        return {"distribution": "log_uniform_values" if domain.log else plain, **bounds}
    distribution = "q_log_uniform_values" if domain.log else "q_uniform"
    return {"distribution": distribution, **bounds, "q": domain.step or 1}


@dataclass(frozen=True)
class _Entry:
    """An entry with known keys and a known distribution; methods return None after a fault."""

    spec: ProblemSpec
    parameter: Parameter
    entry: Mapping[str, Any]
    place: str
    fault: Fault

    def constant(self) -> Domain | None:
        value = self.entry["value"]
        if isinstance(value, (list, tuple)):
            text = f"expected one value, found {shown(value)}; for several write 'values: ...'"
            self.fault(f"{self.place}.value", text)
            return None
        return self._choice([value], f"{self.place}.value", "constant")

    def choices(self) -> Domain | None:
        values = self.entry["values"]
        if not isinstance(values, (list, tuple)) or not values:
            one = isinstance(values, (int, float, str)) and not isinstance(values, bool)
            remedy = f"; for one value write 'value: {shown(values)}'" if one else ""
            text = f"expected a list of at least one value, found {shown(values)}{remedy}"
            self.fault(f"{self.place}.values", text)
            return None
        return self._choice(list(values), f"{self.place}.values", "categorical")

    def _choice(self, values: list[Any], place: str, form: str) -> Domain | None:
        distribution = self.entry.get("distribution") or form
        if distribution != form:
            self.fault(place, f"does not go with the distribution {distribution}; drop one of them")
        if "q" in self.entry:
            self.fault(place, "q goes with min and max only; drop it")
        checked = [self._value(value, place) for value in values]
        if any(value is None for value in checked):
            return None
        distinct = tuple(dict.fromkeys(value for value in checked if value is not None))
        if len(distinct) < len(values):
            self.fault(place, f"a value is given twice in {shown(values)}; remove one")
            return None
        return Choice(distinct)

    def range(self) -> Domain | None:
        if self.parameter.kind == "choice":
            remedy = f"write values: [{listed(self.parameter.choices)}]"
            self.fault(self.place, f"takes choices, not min and max; {remedy}")
            return None
        missing = [key for key in ("min", "max") if key not in self.entry]
        if missing:
            self.fault(self.place, f"{missing[0]} is missing; give min and max")
            return None
        plain = all(isinstance(self.entry[key], int) for key in ("min", "max"))
        distribution = self.entry.get("distribution") or ("int_uniform" if plain else "uniform")
        if distribution not in RANGES:
            text = f"{distribution} goes with value or values, not min and max"
            self.fault(f"{self.place}.distribution", text)
            return None
        shape = RANGES[distribution]
        step = self._step() if shape.grid else None
        bounds = self._bounds(distribution, shape, step)
        if not shape.grid and "q" in self.entry:
            text = f"does not go with {distribution}; use q_uniform or q_log_uniform_values"
            self.fault(f"{self.place}.q", text)
            return None
        if bounds is None or (shape.grid and step is None):
            return None
        return self._made(distribution, shape, step, bounds)

    def _made(
        self,
        distribution: str,
        shape: Shape,
        step: float | int | None,
        bounds: tuple[float | int, float | int],
    ) -> Domain | None:
        low, high = bounds
        both_whole = isinstance(low, int) and isinstance(high, int)
        if both_whole and "distribution" not in self.entry:
            distribution = "int_uniform"
        if distribution == "int_uniform" and not both_whole:
            text = "int_uniform needs whole numbers as min and max; use uniform for fractions"
            self.fault(self.place, text)
            return None
        whole = both_whole and (distribution == "int_uniform" or isinstance(step, int))
        if self.parameter.kind == "int" and not whole:
            text = _fractions(self.parameter.name, distribution, shape)
            self.fault(f"{self.place}.distribution", text)
            return None
        if step is not None and not self._is_on_grid(low, high, step):
            return None
        if low == high:
            return Choice((float(low) if self.parameter.kind == "float" else low,))
        if whole:
            return Range(low, high, shape.log, None if step == 1 else step)
        return Range(float(low), float(high), shape.log, step)

    def _is_on_grid(self, low: float, high: float, step: float) -> bool:
        end = max(low, high, key=abs)
        if not math.isfinite(end / step):
            self.fault(f"{self.place}.q", f"q {step} is far below {abs(end)}; raise it")
            return False
        first, last = multiples(low, high, step)
        if last < first:
            text = f"no multiple of q {step} lies between min {low} and max {high}"
            self.fault(self.place, text)
        return first <= last

    def _step(self) -> float | int | None:
        value = self.entry.get("q", 1)
        step = finite_number(self.parameter, value)
        if step is None or step <= 0:
            self.fault(f"{self.place}.q", not_taken("q", "numbers above 0", value))
            return None
        return step

    def _bounds(
        self, distribution: str, shape: Shape, step: float | int | None
    ) -> tuple[float | int, float | int] | None:
        """The lowest and the highest value of the parameter."""
        low, high = (self._number(key, distribution, shape) for key in ("min", "max"))
        if low is None or high is None:
            return None
        if low > high:
            self.fault(self.place, f"min {low} is above max {high}; swap them")
            return None
        if shape.log and not shape.exponents and low <= 0:
            text = f"a logarithm starts above 0, found {low}; raise min"
            self.fault(f"{self.place}.min", text)
            return None
        if shape.grid and step is None and shape.exponents:
            return None
        if shape.exponents:
            first, last = (self._power(key, n, step) for key, n in (("min", low), ("max", high)))
            return None if first is None or last is None else (first, last)
        ends = [self._value(n, f"{self.place}.{key}") for key, n in (("min", low), ("max", high))]
        return None if None in ends else (low, high)

    def _number(self, key: str, distribution: str, shape: Shape) -> float | int | None:
        value, place = self.entry[key], f"{self.place}.{key}"
        if not shape.exponents:
            return read_number(self.parameter, value, place, self.fault)
        number = finite_number(self.parameter, value)
        if number is None:
            self.fault(place, not_taken(distribution, "natural logarithms", value))
        return number

    def _value(self, value: Any, place: str) -> Any:
        return read_value(self.spec, self.parameter, value, place, self.fault)

    def _power(
        self, key: str, exponent: float | int, step: float | int | None
    ) -> float | int | None:
        """The bound with this natural logarithm, rounded to the grid if there is a step."""
        place = f"{self.place}.{key}"
        try:
            exact = math.exp(exponent)
        except OverflowError:
            exact = math.inf
        bound: float | int = exact
        if step is not None and exact / step < math.inf:
            bound = round(exact / step) * step

        def fault_of_power(place: str, text: str) -> None:
            self.fault(place, f"{text}{_of_power(exponent, exact, bound, step)}")

        if not 0 < bound < math.inf:
            fault_of_power(place, "a bound has to be finite and above 0")
            return None
        if step is None and self.parameter.kind == "int":
            return bound
        read = read_value(self.spec, self.parameter, bound, place, fault_of_power)
        return None if read is None else bound


def _fractions(parameter: str, distribution: str, shape: Shape) -> str:
    logarithmic = "q_log_uniform" if shape.exponents else "q_log_uniform_values"
    bounds = "" if shape.exponents else ", and whole bounds"
    return (
        f"{distribution} gives fractions, and {parameter} takes whole numbers; use "
        f"int_uniform, or {logarithmic} with q: 1{bounds}"
    )


def _of_power(
    exponent: float | int, exact: float, bound: float | int, step: float | int | None
) -> str:
    nearest = "" if step is None else f", to which the nearest multiple of q {step} is {bound}"
    instead = "log_uniform_values" if step is None else "q_log_uniform_values"
    return (
        f"; min and max are natural logarithms here, and {exponent} is that of {exact:.6g}"
        f"{nearest}; if it is the bound itself, use {instead}"
    )
