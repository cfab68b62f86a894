"""The points of a search space, where there are finitely many: how many, and each by its index."""

from __future__ import annotations

import math

from xortune.space.domains import Choice, Domain, SearchSpace, grid_bounds, multiples
from xortune.trial import Params, Value

# Beyond this many steps from 0, neighbours on a grid of floats may be one float.
_MOST_STEPS = 2**50


def count_points(space: SearchSpace) -> int | None:
    """How many different assignments a space holds; None for infinitely many.

    A range of floats counts as infinite unless it has a step.
    """
    counts = [count_values(domain) for domain in space.domains.values()]
    known = [count for count in counts if count is not None]
    return math.prod(known) if len(known) == len(counts) else None


def count_values(domain: Domain) -> int | None:
    """How many values a domain holds; None for infinitely many."""
    if isinstance(domain, Choice):
        return len(domain.values)
    if domain.step is None:
        return int(domain.high) - int(domain.low) + 1 if domain.whole else None
    first, last = multiples(domain.low, domain.high, domain.step)
    return last - first + 1 if domain.whole or max(-first, last) <= _MOST_STEPS else None


def point_at(space: SearchSpace, index: int) -> Params:
    """A point of a finite space.

    Args:
        space: with finitely many points.
        index: from 0 to `count_points(space) - 1`; each gives another point.
    """
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
    # As `on_grid` computes it, since points are compared bit by bit.
    value = min(max((first + place) * domain.step, low), high)
    return int(value) if domain.whole else float(value)
