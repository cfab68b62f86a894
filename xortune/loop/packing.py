"""How trials are cut into packs, and how long a pack may take."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

from xortune.settings import COMPILED, EAGER
from xortune.trial import Pack, Trial

# What a worker trains at once: on a CPU it stays in the cache, a GPU wants all it can get.
LARGEST = {"cpu": 4096, "cuda": 131_072}
# Trial-epochs a second on one core: what a pack is expected to cost.
_PACE = {COMPILED: 1e8, EAGER: 2e7}
# Below this many lanes an epoch takes no less.
_LEAST_LANES = {COMPILED: 32, EAGER: 256}
# A pack is worth a CPU worker of its own from so many seconds of training on.
_WORTH_S = 0.5
# A GPU takes as long for a few lanes as for so many.
_WORTH_LANES = 16_384
# An epoch of a pack whose lanes are looked at one epoch after the other, which is the slowest.
_EPOCH_S = 1e-4
# A worker counts as hung after this many seconds, and this many times what is expected.
_GRACE_S, _GRACE = 60.0, 10.0


def cut(
    trials: Sequence[Trial], device: str, engine: str, workers: int, most: int | None
) -> list[tuple[Trial, ...]]:
    """Trials in packs that take about equally long.

    Args:
        trials: what is to be trained.
        device: where, `cpu` or `cuda`.
        engine: by which engine.
        workers: how many packs can be trained at once.
        most: the most trials in a pack; None chooses.
    """
    count = math.ceil(len(trials) / min(most or LARGEST[device], LARGEST[device]))
    if most is None:
        count = max(count, min(workers, _worthwhile(trials, device, engine)))
    return _evenly(trials, count)


def work_s(lanes: int, epochs: float, engine: str) -> float:
    """The seconds that one core is expected to train a pack.

    Args:
        lanes: trials in the pack.
        epochs: of each, on average.
        engine: the engine that trains them.
    """
    return max(lanes, _LEAST_LANES[engine]) * epochs / _PACE[engine]


def patience(pack: Pack, engine: str) -> float:
    """The seconds after which a pack's worker counts as hung.

    Generous, since a slow worker that is taken for a hung one costs its work; and twice as
    much after every loss, so that a machine which is slow beyond all bounds gets there too.
    """
    epochs = [trial.params.epochs for trial in pack.trials]
    expected = sum(epochs) / _PACE[engine] + max(epochs) * _EPOCH_S
    return float((_GRACE_S + _GRACE * expected) * 2.0**pack.tries)


def _worthwhile(trials: Sequence[Trial], device: str, engine: str) -> int:
    """How many packs of these trials would keep a worker busy for a while."""
    if device == "cuda":
        return math.ceil(len(trials) / _WORTH_LANES)
    epochs = sum(trial.params.epochs for trial in trials)
    return math.ceil(epochs / _PACE[engine] / _WORTH_S)


def _evenly(trials: Sequence[Trial], count: int) -> list[tuple[Trial, ...]]:
    """Deals trials into packs of about the same number of epochs, each in number order."""
    packs: list[list[Trial]] = [[] for _ in range(count)]
    room = math.ceil(len(trials) / max(count, 1))
    costs = [(0, place) for place in range(count)]
    for trial in sorted(trials, key=lambda trial: -trial.params.epochs):
        cost, place = heapq.heappop(costs)
        packs[place].append(trial)
        if len(packs[place]) < room:
            heapq.heappush(costs, (cost + trial.params.epochs, place))
    return [tuple(sorted(pack, key=lambda trial: trial.number)) for pack in packs]
