"""Converts domains to Optuna's distributions, and sampled floats to values."""

from __future__ import annotations

import math
from collections.abc import Mapping

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from xortune.space import Domain, Range, SearchSpace, grid_bounds

_MARGIN = 0.05  # The share of a range that `stretched` adds at each end.


def distributions(space: SearchSpace) -> Mapping[str, BaseDistribution]:
    """Optuna's distribution for each parameter, with both bounds included."""
    return {name: _distribution(domain) for name, domain in space.domains.items()}


def _distribution(domain: Domain) -> BaseDistribution:
    if not isinstance(domain, Range):
        return CategoricalDistribution(domain.values)
    low, high = grid_bounds(domain)
    if domain.whole:
        # Optuna has no step on a logarithmic scale; there only rounding keeps to the grid.
        step = 1 if domain.log or domain.step is None else int(domain.step)
        return IntDistribution(int(low), int(high), log=domain.log, step=step)
    return FloatDistribution(low, high, log=domain.log)


def continuous(domain: Range) -> FloatDistribution:
    """The interval of floats that `on_grid` maps onto the domain.

    It extends half a step beyond both ends, so that the end values are as likely as the others.
    """
    step = domain.step or (1 if domain.whole else 0)
    low, high = grid_bounds(domain)
    return FloatDistribution(low - step / 2, high + step / 2, log=domain.log)


def stretched(domain: Range) -> FloatDistribution:
    """The interval of `continuous`, extended by a twentieth of its width at both ends.

    `on_grid` maps the extensions to the end values, since the optimum often lies at a bound,
    which a density confined to the bounds only approaches.
    """
    inside = continuous(domain)
    if not domain.log:
        margin = _MARGIN * (inside.high - inside.low)
        return FloatDistribution(inside.low - margin, inside.high + margin)
    factor = math.exp(_MARGIN * (math.log(inside.high) - math.log(inside.low)))
    # A quotient too small for a float would be 0, which has no logarithm.
    return FloatDistribution(inside.low / factor or inside.low, inside.high * factor, log=True)


def on_grid(domain: Range, value: float) -> float | int:
    """The domain's value nearest to a float."""
    step = domain.step or (1 if domain.whole else 0)
    low, high = grid_bounds(domain)
    if step:
        value = round(value / step) * step
    value = min(max(value, low), high)
    return int(value) if domain.whole else float(value)
