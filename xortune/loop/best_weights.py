"""Which trials' weights a study keeps: all while they are small, else those of the best."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import replace

from xortune.ranking import Standing
from xortune.trial import FinishedTrial

# What the weights of a study may take in its ledger, in bytes.
BUDGET = 256 * 2**20


class BestWeights:
    """Keeps the weights of as many of the best trials as fit a budget.

    Which trials those are depends on their standing alone, not on the order in which they
    finish.

    Args:
        kept: the standings of the trials whose weights are kept already.
        budget: in bytes.
    """

    def __init__(self, kept: Iterable[Standing], budget: int | None = None) -> None:
        self._budget = BUDGET if budget is None else budget
        self._kept = list(map(_worst_first, kept))
        heapq.heapify(self._kept)

    def choose(
        self, finished: Sequence[FinishedTrial], standings: Sequence[Standing]
    ) -> tuple[list[FinishedTrial], list[int]]:
        """The outcomes, without weights that are not to be kept, and the trials to forget."""
        dropped: set[int] = set()
        for f, standing in zip(finished, standings):
            if f.outcome.weights is None:
                continue
            heapq.heappush(self._kept, _worst_first(standing))
            if len(self._kept) > max(1, self._budget // max(1, len(f.outcome.weights.content))):
                dropped.add(-int(heapq.heappop(self._kept)[-1]))
        chosen = [
            FinishedTrial(f.trial, replace(f.outcome, weights=None))
            if f.trial.number in dropped
            else f
            for f in finished
        ]
        return chosen, sorted(dropped - {f.trial.number for f in finished})


def _worst_first(standing: Standing) -> tuple[float, ...]:
    """A heap gives its smallest entry first, and a standing is better the smaller it is."""
    return tuple(-value for value in standing)
