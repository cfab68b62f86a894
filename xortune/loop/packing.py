"""Cuts trials into packs, and limits the time of a pack."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence

from xortune.engines.engine import Pace
from xortune.trial import Pack, Params, Trial

Cost = Callable[[Params], float]

# A pack gets a worker of its own only if it trains for at least this many seconds.
_WORTH_S = 0.5
# A worker counts as hung after this many seconds plus this many times the expected ones.
_GRACE_S, _GRACE = 60.0, 10.0


def cut(
    trials: Sequence[Trial], cost: Cost, pace: Pace, workers: int, most: int | None
) -> list[tuple[Trial, ...]]:
    """Cuts trials into packs that take about equally long, for this many workers.

    A pack has at most `most` trials; None chooses.
    """
    costs = [cost(trial.params) for trial in trials]
    count = math.ceil(len(trials) / min(most or pace.largest, pace.largest))
    if most is None:
        count = max(count, min(workers, len(trials), _worthwhile(costs, pace)))
    return _evenly(trials, costs, count)


def work_s(lanes: int, cost: float, pace: Pace) -> float:
    """The seconds that one core is expected to train a pack of trials of a mean cost."""
    return max(lanes, pace.least_lanes) * cost / pace.cost_per_s


def patience(pack: Pack, cost: Cost, pace: Pace) -> float:
    """The seconds after which a pack's worker counts as hung.

    Generous, since a slow worker that is taken for a hung one loses its work; and doubled after
    every loss, so that even a very slow machine eventually finishes.
    """
    lanes = len(pack.replicates)
    costs = [lanes * cost(trial.params) for trial in pack.trials]
    if pace.measured:
        expected = lanes * len(costs) * pace.slowest_s
    else:
        expected = sum(costs) / pace.cost_per_s + max(costs) * pace.slowest_s
    return float((_GRACE_S + pace.prepares_s + _GRACE * expected) * 2.0**pack.tries)


def _worthwhile(costs: Sequence[float], pace: Pace) -> int:
    """The number of packs that are each worth a worker."""
    if pace.worth_lanes is not None:
        return math.ceil(len(costs) / pace.worth_lanes)
    return math.ceil(sum(costs) / pace.cost_per_s / _WORTH_S)


def _evenly(trials: Sequence[Trial], costs: Sequence[float], count: int) -> list[tuple[Trial, ...]]:
    """Deals trials into packs of about the same cost, each in number order."""
    packs: list[list[Trial]] = [[] for _ in range(count)]
    room = math.ceil(len(trials) / max(count, 1))
    loads = [(0.0, pack) for pack in range(count)]
    for i in sorted(range(len(trials)), key=costs.__getitem__, reverse=True):
        load, pack = heapq.heappop(loads)
        packs[pack].append(trials[i])
        if len(packs[pack]) < room:
            heapq.heappush(loads, (load + costs[i], pack))
    return [tuple(sorted(pack, key=lambda trial: trial.number)) for pack in packs]
