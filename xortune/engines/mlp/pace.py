"""How fast C trains on a CPU, from the cost of its blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from xortune.engines.engine import Pace
from xortune.engines.mlp.grouping import Cost, grouped, kind_of
from xortune.engines.mlp.native.library import LANES

# The seconds that a pack takes at most, and its trials at least and at most.
_PACK_S = 10.0
FEWEST, _MOST = 64, 1024


def pace_of(cost: Cost, trials: Sequence[Mapping[str, Any]], trial_s: float) -> Pace:
    """The speed of some trials together.

    Args:
        cost: of blocks on their rows.
        trials: by the names of a table's parameters.
        trial_s: the seconds of a trial in Python.
    """
    epochs = fmean(params["epochs"] for params in trials)
    kinds = [kind_of(params, 1) for params in trials]
    _, seconds = grouped(kinds, cost)
    epoch_s = seconds / len(kinds) + trial_s / epochs
    largest = int(_PACK_S / (epoch_s * epochs)) // LANES * LANES
    return Pace(
        cost_per_s=1 / epoch_s,
        # One lane trains alone.
        least_lanes=max(1, round(fmean(cost.of_block([kind]) for kind in kinds) / epoch_s)),
        slowest_s=cost.of_block([kind._replace(batch=1) for kind in kinds]),
        largest=max(FEWEST, min(largest, _MOST)),
    )
