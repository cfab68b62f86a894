"""Ranks trials: by objective, final loss, lower cost, and number."""

from __future__ import annotations

import math

from xortune.spec import ProblemSpec
from xortune.trial import Scores, Trial

# Whether a trial is unranked, then objective, final loss, cost, number. Smaller is better.
Standing = tuple[bool, float, float, float, int]
NO_STANDING: Standing = (True, math.inf, math.inf, 0, 0)  # behind every trial


def standing(spec: ProblemSpec, trial: Trial, scores: Scores | None) -> Standing:
    """The key to sort trials by; trials without scores come last, by number."""
    if scores is None:
        return True, 0.0, 0.0, 0, trial.number
    loss = 0.0 if spec.loss is None else scores[spec.loss]
    return False, objective(spec, scores), loss, spec.cost_of(trial.params), trial.number


def objective(spec: ProblemSpec, scores: Scores) -> float:
    """The value of the first objective, negated if it is maximized."""
    first = spec.objectives[0]
    value = scores[first.metric]
    return -value if first.direction == "maximize" else value
