"""What Optuna is told of a study besides its trials."""

from __future__ import annotations

from typing import Any

from optuna.study import StudyDirection

from xortune.settings import Provenance, StudySettings
from xortune.spec import ProblemSpec

# What `Study.set_metric_names` of Optuna sets.
_METRIC_NAMES = "study:metric_names"
_SHOWN = (
    "sampler", "study_seed", "generation", "replicates", "folds", "pruner", "rungs", "device",
)  # fmt: skip


def directions(spec: ProblemSpec) -> list[StudyDirection]:
    """Whether each objective is minimised or maximised."""
    return [StudyDirection[objective.direction.upper()] for objective in spec.objectives]


def metric_names(spec: ProblemSpec) -> dict[str, Any]:
    """System attributes that name the objectives."""
    return {_METRIC_NAMES: [objective.metric for objective in spec.objectives]}


def study_attrs(settings: StudySettings, provenance: Provenance) -> dict[str, Any]:
    """User attributes: what was searched and how, as plain values."""
    recorded = settings.to_dict()
    data = {"data": settings.data} if settings.data else {}
    chosen = {name: recorded[name] for name in _SHOWN if recorded[name] not in (None, "none", ())}
    return {
        "problem": settings.spec.problem,
        **data,
        "trials": settings.trials,
        **{
            name: list(value) if isinstance(value, tuple) else value
            for name, value in chosen.items()
        },
        "engine": provenance.engine,
    }
