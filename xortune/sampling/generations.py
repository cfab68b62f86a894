"""Asks Optuna for generations, and gives it finished trials."""

from __future__ import annotations

import math
import warnings
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from xortune.process_wide import Counted
from xortune.ranking import objective
from xortune.sampling.distributions import distributions
from xortune.sampling.samplers import Draws, Model
from xortune.sampling.unseen import Points, Unseen, assignment
from xortune.sampling.window import window
from xortune.settings import SAMPLER_VERSION, SamplerName
from xortune.space import SearchSpace, count_points
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS, ProblemSpec
from xortune.trial import FinishedTrial, Outcome, Params


def ask_generation(
    space: SearchSpace,
    sampler: SamplerName,
    study_seed: int,
    generation: int,
    size: int,
    told: Sequence[FinishedTrial],
    known: Sequence[Params] = (),
    version: int = SAMPLER_VERSION,
) -> Iterator[Params]:
    """Asks for the first `size` trials of a generation lazily, one by one.

    A pure function: the same arguments give the same trials, and a larger `size` appends to
    them. It gives fewer than `size` trials when the space has no more points, since version 2
    asks for each point once.

    Args:
        space: the search space.
        sampler: the sampler's name.
        study_seed: the study's seed.
        generation: the generation's number.
        size: the number of trials.
        told: all trials of earlier generations, by number. Read once, before this returns.
        known: the generation's trials that were asked for earlier. They are asked for again,
            and are the same unless another version of Optuna proposed them.
        version: of the sampler, as recorded; version 1 repeats points.
    """
    learns = sampler != "random"
    # Random draws from a range of floats do not repeat.
    repeats = version > 1 and (learns or count_points(space) is not None)
    asked = Points()
    losses = array("d")
    for finished in told if learns or repeats else ():
        losses.append(_loss(space.spec, finished))
        if repeats:
            asked.add(finished.trial.params)
    with _quiet():
        draws = Draws(space, study_seed, generation)
        model = None
        if learns:
            learnt = [(told[n].trial.params, losses[n]) for n in window(losses)]
            model = Model(space, study_seed, generation, learnt)
    if not repeats:
        return (assignment(space, _proposed(draws, model)) for _ in range(size))
    order = f"{study_seed}/{generation}"
    return _each_once(Unseen(space, draws, model, asked, order), size, list(known))


def _loss(spec: ProblemSpec, finished: FinishedTrial) -> float:
    """The objective, smaller being better: a pruned trial's at its rung, infinite if it failed."""
    scores = finished.outcome.scores
    if scores is None:
        return math.inf
    if finished.outcome.state == "PRUNED":
        value = scores[PRUNED_LOSS]
        return -value if spec.objectives[0].direction == "maximize" else value
    return objective(spec, scores)


def _proposed(draws: Draws, model: Model | None) -> dict[str, Any]:
    """Draws every parameter, even those that the model replaces: draws do not depend on it."""
    return draws.ask() | (model.ask() if model else {})


def _each_once(unseen: Unseen, size: int, known: Sequence[Params]) -> Iterator[Params]:
    for place in range(size):
        params = unseen.ask()
        if params is None:
            return
        yield params
        unseen.add(known[place] if place < len(known) else params)


def optuna_study(name: str, space: SearchSpace, told: Iterable[FinishedTrial]) -> optuna.Study:
    """An in-memory study of the finished trials, for example for `optuna.visualization`.

    It has the spec's objectives. Its trials keep their numbers if these have no gap.
    """
    directions = [objective.direction for objective in space.spec.objectives]
    with _quiet():
        study = optuna.create_study(study_name=name, directions=directions)
        study.add_trials(_frozen(space, told))
    return study


def _frozen(space: SearchSpace, told: Iterable[FinishedTrial]) -> Iterator[FrozenTrial]:
    known = dict(distributions(space))
    for finished in told:
        params = dict(finished.trial.params)
        result = _result(space.spec, finished.outcome)
        yield optuna.trial.create_trial(params=params, distributions=known, **result)


def _result(spec: ProblemSpec, outcome: Outcome) -> dict[str, Any]:
    """What Optuna records of an outcome."""
    scores = outcome.scores
    if scores is not None and outcome.state == "COMPLETE":
        values = [scores[o.metric] for o in spec.objectives]
        return {"state": TrialState.COMPLETE, "values": values, "user_attrs": dict(scores)}
    if scores is not None and outcome.state == "PRUNED":
        return {
            "state": TrialState.PRUNED,
            "intermediate_values": {int(scores[PRUNED_EPOCH]): scores[PRUNED_LOSS]},
            "user_attrs": {name: scores[name] for name in (PRUNED_EPOCH, PRUNED_LOSS)},
        }
    return {"state": TrialState.FAIL}


@Counted
@contextmanager
def _quiet() -> Iterator[None]:
    """Silences Optuna's messages about new studies and experimental features."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(verbosity, optuna.logging.WARNING))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            yield
        finally:
            optuna.logging.set_verbosity(verbosity)
