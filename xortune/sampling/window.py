"""Which of the told trials a model is built from."""

from __future__ import annotations

from collections.abc import Iterable

from xortune.trial import FinishedTrial, Metric

# What TPE does for a trial is work over all that it was told. From 241 trials on its good
# set is the best 25, however many there are; the others only have to show where trials are.
_SIZE = 250
_BEST = 25

Told = tuple[FinishedTrial, float]


def window(told: Iterable[FinishedTrial], metric: Metric) -> list[Told]:
    """The complete trials with their final losses, by number, or 250 of them if there are more.

    Those are the best 25 and 225 of the others, evenly spread over their numbers.
    """
    complete = sorted(
        (
            (finished, finished.outcome.scores.final_loss(metric))
            for finished in told
            if finished.outcome.state == "COMPLETE" and finished.outcome.scores is not None
        ),
        key=_number,
    )
    if len(complete) <= _SIZE:
        return complete
    ranked = sorted(complete, key=_loss)
    others = sorted(ranked[_BEST:], key=_number)
    count = _SIZE - _BEST
    spread = [others[i * len(others) // count] for i in range(count)]
    return sorted(ranked[:_BEST] + spread, key=_number)


def _number(told: Told) -> int:
    return told[0].trial.number


def _loss(told: Told) -> float:
    return told[1]
