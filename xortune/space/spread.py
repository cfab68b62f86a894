"""Points of a space at which something is tried, or estimated, before a search."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from xortune.space.domains import Choice, Domain, SearchSpace, grid_bounds
from xortune.trial import Params, Value

_MOST_SAMPLES = 8


def spread_points(space: SearchSpace, count: int) -> list[Params]:
    """So many random points, the same every time."""
    drawn = random.Random(0)
    return [
        space.params({n: _at(domain, drawn.random()) for n, domain in space.domains.items()})
        for _ in range(count)
    ]


def sample_points(space: SearchSpace, seed: int) -> list[dict[str, Value]]:
    """The smallest point of a space, the largest, and random ones, each once; 8 at most.

    There are as many random ones as it takes for every text among the choices to occur, but one
    at least. Where choices are no numbers, the first is the smallest.

    Args:
        space: the space.
        seed: of the random points.
    """
    drawn = random.Random(seed)
    points = [_point(space, lambda domain: _end(domain, 0)), _point(space, lambda d: _end(d, -1))]
    longest = max(map(_texts, space.domains.values()), default=0)
    for place in range(1, max(longest - 1, 2)):
        points.append(_point(space, lambda d, place=place: _listed(d, place, drawn.random())))  # type: ignore[misc]
    distinct: list[dict[str, Value]] = []
    for point in points:
        if point not in distinct:
            distinct.append(point)
    return distinct[:_MOST_SAMPLES]


def _point(space: SearchSpace, value: Callable[[Domain], Value]) -> dict[str, Value]:
    return {
        name: float(found) if space.spec.parameter(name).kind == "float" else found
        for name, domain in space.domains.items()
        for found in (value(domain),)
    }


def _texts(domain: Domain) -> int:
    """How many choices there are, if they are no numbers."""
    return len(domain.values) if isinstance(domain, Choice) and not _numbers(domain) else 0


def _numbers(choice: Choice) -> bool:
    return all(type(value) in (int, float) for value in choice.values)


def _end(domain: Domain, end: int) -> Value:
    """The smallest value, at the end 0, or the largest, at -1."""
    if isinstance(domain, Choice):
        return sorted(domain.values)[end] if _numbers(domain) else domain.values[end]
    return _typed(domain, grid_bounds(domain)[end])


def _listed(domain: Domain, place: int, share: float) -> Value:
    """Of texts the one at a place, if there are so many; otherwise as `_at`."""
    if place < _texts(domain):
        assert isinstance(domain, Choice)
        return domain.values[place]
    return _at(domain, share)


def _at(domain: Domain, share: float) -> Value:
    """The value below which that share of the domain lies."""
    if isinstance(domain, Choice):
        return domain.values[int(share * len(domain.values))]
    low, high = grid_bounds(domain)
    if domain.log and low > 0:
        value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    else:
        value = low + share * (high - low)
    if domain.step is not None:
        value = round(value / domain.step) * domain.step
    return _typed(domain, min(max(value, low), high))


def _typed(domain: Domain, value: float) -> Value:
    return round(value) if getattr(domain, "whole", False) else float(value)
