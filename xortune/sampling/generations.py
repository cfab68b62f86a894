"""Asking Optuna for generations, and showing it what came of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from xortune.sampling.distributions import distributions, on_grid
from xortune.sampling.samplers import Draws, Model
from xortune.settings import SamplerName
from xortune.space import Range, SearchSpace
from xortune.trial import FinishedTrial, Metric, Params


def ask_generation(
    space: SearchSpace,
    sampler: SamplerName,
    study_seed: int,
    generation: int,
    size: int,
    told: Sequence[FinishedTrial],
    metric: Metric,
) -> Iterator[Params]:
    """Asks for the first `size` trials of a generation, one by one as they are taken.

    A pure function: the same arguments give the same trials, and a larger `size` the same
    ones with more behind them. `told` is read before it returns.

    Args:
        space: what to choose from.
        sampler: which sampler.
        study_seed: the study's seed.
        generation: the generation's number.
        size: how many trials.
        told: all trials of the generations before, by number.
        metric: the yardstick.
    """
    with _quiet():
        draws = Draws(space, study_seed, generation)
        model = None if sampler == "random" else Model(space, study_seed, generation, told, metric)
    return (_ask(space, draws, model) for _ in range(size))


def _ask(space: SearchSpace, draws: Draws, model: Model | None) -> Params:
    """Everything is drawn, whatever the model then replaces, so that no draw depends on it."""
    values = draws.ask() | (model.ask() if model else {})
    params: dict[str, Any] = {
        name: on_grid(domain, values[name]) if isinstance(domain, Range) else values[name]
        for name, domain in space.domains.items()
    }
    return Params(**params)


def optuna_study(
    name: str, space: SearchSpace, told: Iterable[FinishedTrial], metric: Metric
) -> optuna.Study:
    """An in-memory study with every finished trial, for `optuna.visualization` and the like.

    Its trials have the numbers of the study's, as long as those that are finished have no
    gap between them.
    """
    with _quiet():
        study = optuna.create_study(study_name=name, direction="minimize")
        study.add_trials(_frozen(space, told, metric))
    return study


def _frozen(space: SearchSpace, told: Iterable[FinishedTrial], metric: Metric) -> list[FrozenTrial]:
    known = dict(distributions(space))
    frozen = []
    for finished in told:
        outcome = finished.outcome
        complete = outcome.state == "COMPLETE" and outcome.scores is not None
        frozen.append(
            optuna.trial.create_trial(
                state=TrialState.COMPLETE if complete else TrialState.FAIL,
                params=asdict(finished.trial.params),
                distributions=known,
                value=outcome.scores.final_loss(metric) if complete and outcome.scores else None,
                user_attrs={} if outcome.scores is None else asdict(outcome.scores),
            )
        )
    return frozen


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna announces every new study, and warns of features that it calls experimental."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(verbosity, optuna.logging.WARNING))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            yield
        finally:
            optuna.logging.set_verbosity(verbosity)
