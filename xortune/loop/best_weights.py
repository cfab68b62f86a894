"""Chooses the trials whose weights a study keeps: all that fit a budget, the best first."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import replace

from xortune.ranking import Standing
from xortune.trial import FinishedTrial

# The most bytes that the weights of a study may take in its ledger.
BUDGET = 256 * 2**20


class BestWeights:
    """Keeps the weights of as many of the best trials as fit a budget.

    The choice depends on their standings alone, not on the order in which they finish. `kept`
    has those of the weights kept already; the budget is in bytes, by default `BUDGET`.
    """

    def __init__(self, kept: Iterable[Standing], budget: int | None = None) -> None:
        self._budget = BUDGET if budget is None else budget
        self._kept = list(map(_worst_first, kept))
        heapq.heapify(self._kept)

    def choose(
        self, finished: Sequence[FinishedTrial], standings: Sequence[Standing]
    ) -> tuple[list[FinishedTrial], list[int]]:
        """The outcomes, without weights that exceed the budget, and the trials to forget."""
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
    """Negated: a heap returns its smallest entry first, and the best standing is the smallest."""
    return tuple(-value for value in standing)
