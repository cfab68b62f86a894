"""How trials are ranked: by objective, then by final loss, lower cost, and number."""

from __future__ import annotations

import math

from xortune.spec import ProblemSpec
from xortune.trial import Scores, Trial

# Whether it is without a rank; objective, final loss, cost, number. Smaller is better.
Standing = tuple[bool, float, float, float, int]
# Behind every trial.
NO_STANDING: Standing = (True, math.inf, math.inf, 0, 0)


def standing(spec: ProblemSpec, trial: Trial, scores: Scores | None) -> Standing:
    """What to sort a trial by; those that are not complete come last, by number.

    Args:
        spec: of the study's problem.
        trial: the trial.
        scores: None where it has none.
    """
    if scores is None:
        return True, 0.0, 0.0, 0, trial.number
    loss = scores[spec.loss]
    return False, objective(spec, scores), loss, spec.cost_of(trial.params), trial.number


def objective(spec: ProblemSpec, scores: Scores) -> float:
    """The value of the first objective; smaller is better, whatever its direction."""
    first = spec.objectives[0]
    value = scores[first.metric]
    return -value if first.direction == "maximize" else value
