"""Search spaces: a domain for each parameter, and its points where there are finitely many."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xortune.spec import ProblemSpec
from xortune.trial import Params, Value

# Beyond this many steps from 0, neighbours on a grid of floats may be the same float.
_MOST_STEPS = 2**50


@dataclass(frozen=True)
class Choice:
    """One of several values, in the order of the file; a single value is a constant."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included."""

    low: float | int
    high: float | int
    log: bool = False  # evenly over the logarithm
    step: float | int | None = None  # values are multiples of it; an int if `low` is one

    @property
    def whole(self) -> bool:
        """Whether the values are integers."""
        return isinstance(self.low, int)


Domain = Choice | Range


def multiples(low: float, high: float, step: float) -> tuple[int, int]:
    """The first and the last k with `low <= k step <= high`, up to rounding.

    In floats 0.3 / 0.1 is below 3, but 0.3 has to count as on the grid.
    """
    tolerance = 1e-9
    return math.ceil(low / step - tolerance), math.floor(high / step + tolerance)


def grid_bounds(domain: Range) -> tuple[float, float]:
    """The lowest and the highest value of a domain."""
    if domain.step is None:
        return domain.low, domain.high
    first, last = multiples(domain.low, domain.high, domain.step)
    return max(first * domain.step, domain.low), min(last * domain.step, domain.high)


@dataclass(frozen=True)
class SearchSpace:
    """A domain for each parameter of a problem."""

    spec: ProblemSpec
    name: str  # the file's stem, or `custom`
    domains: Mapping[str, Domain]  # in the order of the spec's parameters
    # The `parameters` block to record, as plain values: as it was read, except where bounds were
    # logarithms or the space was narrowed.
    parameters: Mapping[str, Mapping[str, Any]]
    # For the user, such as defaults and ignored keys.
    notes: tuple[str, ...] = field(default=(), compare=False)
    # Where it comes from, for messages.
    source: str = field(default="custom", compare=False)

    def params(self, values: Mapping[str, Value]) -> Params:
        """An assignment of these values, with floats where parameters are floats."""
        return self.spec.params(
            float(values[p.name]) if p.kind == "float" else values[p.name]
            for p in self.spec.parameters
        )


def count_points(space: SearchSpace) -> int | None:
    """The number of different assignments; None for infinitely many.

    A range of floats counts as infinite unless it has a step.
    """
    counts = [count_values(domain) for domain in space.domains.values()]
    known = [count for count in counts if count is not None]
    return math.prod(known) if len(known) == len(counts) else None


def count_values(domain: Domain) -> int | None:
    """The number of values of a domain; None for infinitely many."""
    if isinstance(domain, Choice):
        return len(domain.values)
    if domain.step is None:
        return int(domain.high) - int(domain.low) + 1 if domain.whole else None
    first, last = multiples(domain.low, domain.high, domain.step)
    return last - first + 1 if domain.whole or max(-first, last) <= _MOST_STEPS else None


def point_at(space: SearchSpace, index: int) -> Params:
    """A point of a finite space, by an index below `count_points(space)`."""
    values: dict[str, Value] = {}
    for name, domain in space.domains.items():
        index, place = divmod(index, count_values(domain) or 1)
        values[name] = _value_at(domain, place)
    return space.params(values)


def _value_at(domain: Domain, place: int) -> Value:
    if isinstance(domain, Choice):
        return domain.values[place]
    if domain.step is None:
        return domain.low + place
    first, _ = multiples(domain.low, domain.high, domain.step)
    low, high = grid_bounds(domain)
    # Computed as in `on_grid`, since points are compared bit by bit.
    value = min(max((first + place) * domain.step, low), high)
    return int(value) if domain.whole else float(value)
