"""Asks Optuna for generations."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from xortune.ranking import objective
from xortune.sampling.quiet import quiet
from xortune.sampling.samplers import Draws, Model
from xortune.sampling.unseen import Points, Unseen, assignment
from xortune.sampling.window import window
from xortune.settings import SAMPLER_VERSION, SamplerName
from xortune.space import SearchSpace, count_points
from xortune.spec import PRUNED_LOSS, ProblemSpec
from xortune.trial import FinishedTrial, Params


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
        version: of the sampler, as recorded; version 1 repeats points, and up to version 2 all
            parameters are modelled together.
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
    with quiet():
        draws = Draws(space, study_seed, generation)
        model = None
        if learns:
            learnt = [(told[n].trial.params, losses[n]) for n in window(losses)]
            model = Model(space, study_seed, generation, learnt, version)
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
