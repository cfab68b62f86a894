"""What a search may choose from: one domain for each parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xortune.spec import ProblemSpec
from xortune.trial import Params, Value


@dataclass(frozen=True)
class Choice:
    """One of some values, in the order of the file; a single one is a constant."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Attributes:
        log: spread evenly over the logarithm.
        step: values are multiples of it; None for no grid. An int when `low` and `high` are.
    """

    low: float | int
    high: float | int
    log: bool = False
    step: float | int | None = None

    @property
    def whole(self) -> bool:
        """Whether the values are integers."""
        return isinstance(self.low, int)


Domain = Choice | Range


def multiples(low: float, high: float, step: float) -> tuple[int, int]:
    """The first and the last k with `low <= k step <= high`, forgiving a float's last digits.

    In floats 0.3 / 0.1 is below 3; it still has to count as on the grid.
    """
    forgiven = 1e-9
    return math.ceil(low / step - forgiven), math.floor(high / step + forgiven)


def grid_bounds(domain: Range) -> tuple[float, float]:
    """The lowest and the highest value that can come out."""
    if domain.step is None:
        return domain.low, domain.high
    first, last = multiples(domain.low, domain.high, domain.step)
    return max(first * domain.step, domain.low), min(last * domain.step, domain.high)


@dataclass(frozen=True)
class SearchSpace:
    """A domain for each parameter of a problem.

    Attributes:
        spec: of the problem.
        name: the file's name without its ending, or `custom`.
        domains: in the order of the spec's parameters.
        parameters: the `parameters` block that is recorded, as plain values. It is the one
            that was read, except where bounds were logarithms or the space was narrowed.
        notes: what the user should know: defaults taken, keys that are ignored.
    """

    spec: ProblemSpec
    name: str
    domains: Mapping[str, Domain]
    parameters: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...] = field(default=(), compare=False)

    def params(self, values: Mapping[str, Value]) -> Params:
        """The assignment of one value to each parameter, as numbers of the parameters' kinds."""
        return self.spec.params(
            float(values[p.name]) if p.kind == "float" else values[p.name]
            for p in self.spec.parameters
        )
