"""All plots of a study, in the order of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from xortune.report.plots import (
    best_trials,
    contour_map,
    costs,
    parallel_axes,
    parameter_importance,
    parameter_slices,
    pruning,
    run_times,
    training_curves,
    trainings,
    trial_states,
)
from xortune.report.plots.picture import Absent, Picture
from xortune.report.results import Results


class Missing(NamedTuple):
    """A picture that a study cannot have, and why."""

    name: str
    why: str  # a part of a sentence, such as `no trial is complete yet`


# Each returns its picture, or raises Absent.
PLOTS: Mapping[str, Callable[[Results], Picture]] = {
    "best-so-far": best_trials.best_so_far,
    "curves": training_curves.curves,
    "importance": parameter_importance.importance,
    "slices": parameter_slices.slices,
    "parallel": parallel_axes.parallel,
    "contour": contour_map.contour,
    "replicates": trainings.replicates,
    "rungs": pruning.rungs,
    "cost": costs.cost,
    "states": trial_states.states,
    "time": run_times.time_spent,
}


def gallery(results: Results) -> tuple[list[Picture], list[Missing]]:
    """The pictures of a study in the order of a page, and those that it cannot have."""
    there, missing = [], []
    for name, draw in PLOTS.items():
        try:
            there.append(draw(results))
        except Absent as reason:
            missing.append(Missing(name, str(reason)))
    return there, missing


def pictures(results: Results) -> list[Picture]:
    """Every plot that applies to a study, in the order of a page."""
    return gallery(results)[0]
