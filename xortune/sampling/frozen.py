"""The trials of a study as Optuna has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import isnan
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from xortune.sampling.distributions import distributions
from xortune.sampling.quiet import quiet
from xortune.space import SearchSpace
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS, ProblemSpec
from xortune.trial import Curve, Outcome, RecordedTrial, Scores, Value

_OUTDATED = "trained by an earlier version of the code"
_VALIDATION = "validation"  # the series of a final loss


class Frozen:
    """Makes Optuna's trials of one study.

    A trial has the value of each objective, its parameters with the ranges and choices of the
    space, its metrics as user attributes, and the curve of the objective as intermediate values.
    A parameter that does not apply is left out, and so is a time that is not known. A trial ends
    when its pack was recorded; it starts its duration earlier, which is its share of the pack's.
    A trial of an earlier version of the code has failed.

    Args:
        space: the study's.
        outdated: the numbers of trials that no longer rank.
    """

    def __init__(self, space: SearchSpace, outdated: Collection[int] = ()) -> None:
        self._spec = space.spec
        self._outdated = outdated
        self._series = objective_series(space.spec)
        self._distributions = dict(distributions(space))

    def trial(self, found: RecordedTrial, trial_id: int = 0) -> FrozenTrial:
        trial, outcome = found.trial, found.outcome
        known = self._distributions
        params = {name: v for name, v in trial.params.items() if _applies(known[name], v)}
        result: dict[str, Any] = {"state": TrialState.WAITING}
        if outcome is not None:
            if trial.number in self._outdated:
                outcome = replace(outcome, state="FAIL", scores=None, error=_OUTDATED)
            result = self._result(outcome, found.curve) | _times(outcome, found.recorded)
        return FrozenTrial(
            **{**_NOTHING, **result},
            number=trial.number,
            params=params,
            distributions={name: known[name] for name in params},
            system_attrs={},
            trial_id=trial_id,
        )

    def _result(self, outcome: Outcome, curve: Curve) -> dict[str, Any]:
        """What Optuna records of an outcome."""
        points, scores = self._points(curve), outcome.scores
        if scores is not None and outcome.state == "COMPLETE":
            values = [scores[objective.metric] for objective in self._spec.objectives]
            found = {"state": TrialState.COMPLETE, "values": values, "value": None}
        elif scores is not None and outcome.state == "PRUNED":
            points[int(scores[PRUNED_EPOCH])] = scores[PRUNED_LOSS]
            found = {"state": TrialState.PRUNED}
        else:
            state = TrialState.PRUNED if outcome.state == "PRUNED" else TrialState.FAIL
            found = {"state": state}
        measured = _measured(scores) if scores is not None else {}
        error = {} if outcome.error is None else {"error": outcome.error}
        return found | {"intermediate_values": points, "user_attrs": measured | error}

    def _points(self, curve: Curve) -> dict[int, float]:
        """The objective by epoch; a function may have measured it at some of them only."""
        if self._series is None:
            return {}
        pairs = zip(curve.epochs, curve.series.get(self._series, ()))
        return {epoch: value for epoch, value in pairs if not isnan(value)}


# What a waiting trial lacks.
_NOTHING: Mapping[str, Any] = {
    "value": None, "datetime_start": None, "datetime_complete": None, "user_attrs": {},
    "intermediate_values": {},
}  # fmt: skip


def objective_series(spec: ProblemSpec) -> str | None:
    """The series that measures the objective during training; None without one.

    It has the objective's name; for the final loss it may also be that of the validation.
    """
    series = [one.name for one in spec.curve]
    metric = spec.objectives[0].metric
    if len(spec.objectives) > 1:
        return None
    if metric in series:
        return metric
    return _VALIDATION if metric == spec.loss and _VALIDATION in series else None


def optuna_study(
    name: str, space: SearchSpace, trials: Iterable[RecordedTrial], outdated: Collection[int] = ()
) -> optuna.Study:
    """An in-memory study of all trials, for example for `optuna.visualization`.

    It has the spec's objectives.
    """
    directions = [objective.direction for objective in space.spec.objectives]
    frozen = Frozen(space, outdated)
    with quiet():
        study = optuna.create_study(study_name=name, directions=directions)
        for found in trials:
            # `add_trial` insists on times, which may not be known.
            study._storage.create_new_trial(study._study_id, frozen.trial(found))
    return study


def _applies(distribution: BaseDistribution, value: Value | None) -> bool:
    """Whether Optuna can take a value: it fails on a choice that the space does not have."""
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    return value is not None


def _measured(scores: Scores) -> dict[str, float]:
    return {name: value for name, value in scores.items() if not isnan(value)}


def _times(outcome: Outcome, recorded: float | None) -> dict[str, datetime]:
    """When a trial started and ended, in local time, as Optuna has it."""
    if recorded is None:
        return {}
    end = datetime.fromtimestamp(recorded)
    return {
        "datetime_start": end - timedelta(seconds=outcome.duration_s or 0),
        "datetime_complete": end,
    }
