"""How much each parameter matters, by PED-ANOVA: the numbers of its picture."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from xortune.process_wide import Counted
from xortune.report.plots.picture import Absent
from xortune.report.plots.ranked import Ranked, ranked_trials
from xortune.report.plots.scales import Scale, scales
from xortune.report.plots.text import brief, is_missing
from xortune.report.results import Results
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS

FEWEST = 20  # trials, of which the best tenth are two
MOST_TRIALS, _MOST_SHUFFLED = 2000, 500  # trials; more take seconds, and say the same
_SHUFFLES = 9


class Importance(NamedTuple):
    """What share a parameter has in the difference between the best trials and all."""

    name: str
    share: float  # those of all parameters add up to 1
    chance: float  # the most that it had where the objectives were shuffled

    @property
    def is_clear(self) -> bool:
        """Whether it is more than luck alone would give."""
        return self.share > self.chance


def importances(results: Results) -> list[Importance]:
    """The importance of the parameters that vary, the greatest first.

    PED-ANOVA (Watanabe, Bansal and Hutter 2023) compares how a parameter's values spread among
    the best tenth of the trials, and among all. Parameters that do not always apply are compared
    where they do (Kita and others 2026). Pruned trials count behind the complete ones.

    Raises:
        Absent: too few trials have ended, or no parameter varies.
    """
    ranked, varying = ended_trials(results), scales(results)
    measured = measures(results)
    total = sum(measured.values())
    chance = _by_chance(ranked, varying)
    return sorted(
        (
            Importance(name, value / total, min(1.0, chance[name] / total))
            for name, value in measured.items()
        ),
        key=lambda one: -one.share,
    )


def measures(results: Results) -> dict[str, float]:
    """What `importances` divides by its sum, in the spec's order.

    Raises:
        Absent: as `importances`.
    """
    ranked, varying = ended_trials(results), scales(results)
    if not varying:
        raise Absent("no parameter varies")
    if len(ranked) < FEWEST:
        raise Absent(f"it takes {FEWEST} trials that have ended, and there are {len(ranked)}")
    if np.ptp(ranked.values) == 0:
        raise Absent(f"all trials have the same {brief(ranked.target.name)}")
    found = _measured(_study(ranked, varying, MOST_TRIALS), None, varying)
    if not sum(found.values()) > 0:
        raise Absent("the best trials have the same values as all others")
    return found


def ended_trials(results: Results) -> Ranked:
    """The complete trials, and behind them the pruned ones: those pruned last first.

    Their values are places in that order, from 0; equal objectives have one place.
    """
    ranked = ranked_trials(results)
    sign = 1.0 if ranked.target.falls else -1.0
    _, places = np.unique(sign * ranked.values, return_inverse=True)
    frame, values = ranked.frame, places.astype(np.float64)
    if PRUNED_EPOCH in results.spec.metric_names:
        pruned = results.trials[results.trials["state"] == "PRUNED"]
        epochs, losses = (
            pruned[name].to_numpy(dtype=np.float64, na_value=np.nan)
            for name in (PRUNED_EPOCH, PRUNED_LOSS)
        )
        order = np.lexsort((sign * losses, -epochs))
        frame = pd.concat([frame, pruned.iloc[order]])
        values = np.concatenate([values, places.max() + 1.0 + np.arange(len(order))])
    numbers = frame["number"].to_numpy(dtype=np.int64)
    return Ranked(ranked.target._replace(falls=True), frame, numbers, values)


def _by_chance(ranked: Ranked, varying: list[Scale]) -> dict[str, float]:
    """The most that each parameter gets when objectives are dealt to trials at random.

    From some of many trials, of which chance makes more: so it is rather over- than underrated.
    """
    study = _study(ranked, varying, _MOST_SHUFFLED)
    most = dict.fromkeys((scale.name for scale in varying), 0.0)
    for seed in range(_SHUFFLES):
        order = np.random.Generator(np.random.PCG64(seed)).permutation(len(study.held))
        found = _measured(study, _dealt(order), varying)
        most = {name: max(value, found[name]) for name, value in most.items()}
    return most


def _dealt(order: NDArray[np.int64]) -> Callable[[FrozenTrial], float]:
    return lambda trial: float(order[trial.number])


def _measured(
    study: optuna.Study, target: Callable[[FrozenTrial], float] | None, varying: list[Scale]
) -> dict[str, float]:
    with warnings.catch_warnings():
        # It warns of any target, and of parameters that hardly ever apply.
        warnings.simplefilter("ignore")
        found = PedAnovaImportanceEvaluator().evaluate(study, target=target)
    return {scale.name: float(found.get(scale.name, 0.0)) for scale in varying}


class _Held(optuna.Study):
    """A study that holds its trials itself: Optuna copies those that are added, slowly."""

    held: Sequence[FrozenTrial] = ()

    def get_trials(self, deepcopy: bool = True, states: Any = None) -> list[FrozenTrial]:
        return [*self.held]


def _study(ranked: Ranked, varying: list[Scale], most: int) -> _Held:
    """At most so many of the trials, numbered from 0, with the parameters that vary."""
    places = _evenly(np.argsort(ranked.numbers), most)
    known = {scale.name: _distribution(scale) for scale in varying}
    rows = ranked.frame.iloc[places]
    columns = [_column(scale, rows) for scale in varying]
    trials: list[FrozenTrial] = []
    for row, value in zip(zip(*columns), ranked.values[places].tolist()):
        params = {name: one for name, one in zip(known, row) if one is not None}
        there = {name: known[name] for name in params}
        trial = optuna.trial.create_trial(params=params, distributions=there, value=value)
        trial.number = len(trials)
        trial._trial_id = len(trials)
        trials.append(trial)
    storage = optuna.storages.InMemoryStorage()
    with _quiet():
        storage.create_new_study([StudyDirection.MINIMIZE], "held")
        study = _Held("held", storage)
    study.held = trials
    return study


def _column(scale: Scale, rows: Any) -> list[Any]:
    if scale.kind == "choice":
        return [None if place != place else int(place) for place in scale.places(rows).tolist()]
    whole = scale.parameter.kind == "int"
    values = rows[scale.name].tolist()
    return [None if is_missing(v) else (int(v) if whole else float(v)) for v in values]


def _distribution(scale: Scale) -> BaseDistribution:
    if scale.kind == "choice":
        return CategoricalDistribution(tuple(range(len(scale.held))))
    if scale.parameter.kind == "int":
        return IntDistribution(int(scale.low), int(scale.high), log=scale.kind == "log")
    return FloatDistribution(scale.low, scale.high, log=scale.kind == "log")


def _evenly(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    step = len(places) / most
    return places if step <= 1 else places[(np.arange(most) * step).astype(np.int64)]


@Counted
@contextmanager
def _quiet() -> Iterator[None]:
    """Silences Optuna's message about a new study."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(verbosity, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)
