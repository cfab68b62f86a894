"""A few points of a search space to try a model at before a search."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from xortune.space import Choice, Domain, SearchSpace, grid_bounds
from xortune.trial import Value

_MOST = 8


def sample_points(space: SearchSpace, seed: int) -> list[dict[str, Value]]:
    """The smallest point of a space, the largest, and random ones, each once; 8 at most.

    There are as many random ones as it takes for every text among the choices to occur, but one
    at least. Where choices are no numbers, the first is the smallest.

    Args:
        space: the space.
        seed: of the random points.
    """
    draw = random.Random(seed)
    points = [_point(space, _smallest), _point(space, _largest)]
    longest = max(map(_texts, space.domains.values()), default=0)
    for place in range(1, max(longest - 1, 2)):
        points.append(_point(space, lambda domain, place=place: _drawn(domain, place, draw)))  # type: ignore[misc]
    distinct: list[dict[str, Value]] = []
    for point in points:
        if point not in distinct:
            distinct.append(point)
    return distinct[:_MOST]


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


def _smallest(domain: Domain) -> Value:
    if isinstance(domain, Choice):
        return min(domain.values) if _numbers(domain) else domain.values[0]
    return _typed(domain, grid_bounds(domain)[0])


def _largest(domain: Domain) -> Value:
    if isinstance(domain, Choice):
        return max(domain.values) if _numbers(domain) else domain.values[-1]
    return _typed(domain, grid_bounds(domain)[1])


def _drawn(domain: Domain, place: int, draw: random.Random) -> Value:
    """A random value; of texts the one at a place, or a random one where there are fewer."""
    if isinstance(domain, Choice):
        is_listed = not _numbers(domain) and place < len(domain.values)
        return domain.values[place] if is_listed else draw.choice(domain.values)
    low, high = grid_bounds(domain)
    if domain.log and low > 0:
        value = math.exp(draw.uniform(math.log(low), math.log(high)))
    else:
        value = draw.uniform(low, high)
    if domain.step is not None:
        value = round(value / domain.step) * domain.step
    value = round(value) if domain.whole else value
    return _typed(domain, min(max(value, low), high))


def _typed(domain: Domain, value: float) -> Value:
    return int(value) if getattr(domain, "whole", False) else float(value)
