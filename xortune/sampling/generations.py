"""Asking Optuna for generations, and showing it what came of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from xortune.sampling.distributions import distributions
from xortune.sampling.samplers import Draws, Model
from xortune.sampling.unseen import Unseen, assignment
from xortune.settings import SAMPLER_VERSION, SamplerName
from xortune.space import SearchSpace, count_points
from xortune.trial import FinishedTrial, Metric, Params


def ask_generation(
    space: SearchSpace,
    sampler: SamplerName,
    study_seed: int,
    generation: int,
    size: int,
    told: Sequence[FinishedTrial],
    metric: Metric,
    known: Sequence[Params] = (),
    version: int = SAMPLER_VERSION,
) -> Iterator[Params]:
    """Asks for the first `size` trials of a generation, one by one as they are taken.

    A pure function: the same arguments give the same trials, and a larger `size` the same
    ones with more behind them. `told` is read before it returns. There are fewer than `size`
    where the space has no more points: since version 2 no point is asked for twice.

    Args:
        space: what to choose from.
        sampler: which sampler.
        study_seed: the study's seed.
        generation: the generation's number.
        size: how many trials.
        told: all trials of the generations before, by number.
        metric: the yardstick.
        known: the generation's trials that were asked for before. They are asked for again,
            and are the same unless another version of Optuna proposed them.
        version: of the sampler, as recorded; version 1 repeats points.
    """
    with _quiet():
        draws = Draws(space, study_seed, generation)
        model = None if sampler == "random" else Model(space, study_seed, generation, told, metric)
    # What is drawn blindly from a range of floats does not repeat.
    if version == 1 or (model is None and count_points(space) is None):
        return (assignment(space, _proposed(draws, model)) for _ in range(size))
    asked = {finished.trial.params for finished in told}
    order = f"{study_seed}/{generation}"
    return _each_once(Unseen(space, draws, model, asked, order), size, list(known))


def _proposed(draws: Draws, model: Model | None) -> dict[str, Any]:
    """Everything is drawn, whatever the model then replaces, so that no draw depends on it."""
    return draws.ask() | (model.ask() if model else {})


def _each_once(unseen: Unseen, size: int, known: Sequence[Params]) -> Iterator[Params]:
    for place in range(size):
        params = unseen.ask()
        if params is None:
            return
        yield params
        unseen.add(known[place] if place < len(known) else params)


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
