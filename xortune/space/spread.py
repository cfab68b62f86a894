"""Points spread over a space, for estimates before a search."""

from __future__ import annotations

import math
import random

from xortune.space.domains import Choice, Domain, SearchSpace, grid_bounds
from xortune.trial import Params, Value


def spread_points(space: SearchSpace, count: int) -> list[Params]:
    """So many random points, the same every time."""
    drawn = random.Random(0)
    return [
        space.params({n: _value(domain, drawn.random()) for n, domain in space.domains.items()})
        for _ in range(count)
    ]


def _value(domain: Domain, share: float) -> Value:
    """The value below which that share of the domain lies."""
    if isinstance(domain, Choice):
        return domain.values[int(share * len(domain.values))]
    low, high = grid_bounds(domain)
    if domain.log:
        value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    else:
        value = low + share * (high - low)
    if domain.step is not None:
        value = round(value / domain.step) * domain.step
    value = min(max(value, low), high)
    return round(value) if domain.whole else float(value)
