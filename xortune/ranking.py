"""How trials are ranked: by final loss, then by fewer epochs, then by number."""

from __future__ import annotations

import math

from xortune.trial import Metric, Outcome, Trial

# Whether it is without a rank; final loss, epochs, number.
Standing = tuple[bool, float, int, int]
# Behind every trial.
NO_STANDING: Standing = (True, math.inf, 0, 0)


def standing(trial: Trial, outcome: Outcome | None, metric: Metric) -> Standing:
    """What to sort a trial by; those that are not complete come last, by number.

    Args:
        trial: the trial.
        outcome: None while there is none.
        metric: the study's yardstick.
    """
    if outcome is None or outcome.scores is None:
        return True, 0.0, 0, trial.number
    return False, outcome.scores.final_loss(metric), trial.params.epochs, trial.number
