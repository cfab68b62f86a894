"""Which of the told trials a model is built from."""

from __future__ import annotations

import math
from collections.abc import Iterable

from xortune.trial import FinishedTrial, Metric

# What TPE does for a trial is work over all that it was told. From 241 trials on its good
# set is the best 25, however many there are; the others only have to show where trials are.
_SIZE = 250
_BEST = 25

Told = tuple[FinishedTrial, float]


def window(told: Iterable[FinishedTrial], metric: Metric) -> list[Told]:
    """Trials with their final losses, by number, or 250 of them if there are more.

    Those are the best 25 and 225 of the others, evenly spread over their numbers. A trial that
    failed counts as infinitely bad: where trainings diverge, there is little to look for.
    """
    losses = sorted(((finished, _loss_of(finished, metric)) for finished in told), key=_number)
    if len(losses) <= _SIZE:
        return losses
    ranked = sorted(losses, key=_loss)
    others = sorted(ranked[_BEST:], key=_number)
    count = _SIZE - _BEST
    spread = [others[i * len(others) // count] for i in range(count)]
    return sorted(ranked[:_BEST] + spread, key=_number)


def _loss_of(finished: FinishedTrial, metric: Metric) -> float:
    scores = finished.outcome.scores
    return math.inf if scores is None else scores.final_loss(metric)


def _number(told: Told) -> int:
    return told[0].trial.number


def _loss(told: Told) -> float:
    return told[1]
