"""The sampler: what asking and telling costs, and what it finds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Protocol

from tests.benchmarks.core import (
    Figure,
    Plan,
    Result,
    Row,
    at_least,
    at_most,
    duration,
    interleaved,
    ratios,
)
from tests.benchmarks.engine_rows import Trainer, fastest_trainer
from tests.benchmarks.stock_sampler import StockSampler
from xortune.engines.xor.engines import CompiledEngine
from xortune.problems.xor.spec import LOSS_FNS, SPEC
from xortune.sampling import ask_generation
from xortune.settings import StudySettings, default_generation
from xortune.space import SearchSpace, load_space
from xortune.spec import ProblemSpec
from xortune.trial import FinishedTrial, Outcome, Params, Trial

TIMED_TRIALS = 1000
STUDIES = 20
TRIALS = 100


class Sampler(Protocol):
    """Asks for some trials, is told their outcomes, asks for the next."""

    def ask(self) -> list[Params]: ...

    def tell(self, outcomes: Sequence[Outcome]) -> None: ...


class OurSampler:
    """TPE as a search asks it: generation by generation.

    Args:
        space: of the search.
        study_seed: the study's.
        trials: how many the search has in all.
        size: of a generation.
    """

    def __init__(self, space: SearchSpace, study_seed: int, trials: int, size: int) -> None:
        self._study_seed = study_seed
        self._trials = trials
        self._size = size
        self._space = space
        self._asked: list[Params] = []
        self._told: list[FinishedTrial] = []

    def ask(self) -> list[Params]:
        told = len(self._told)
        generation = told // self._size
        size = min(self._size, self._trials - told)
        self._asked = list(
            ask_generation(self._space, "tpe", self._study_seed, generation, size, self._told)
        )
        return self._asked

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        generation = len(self._told) // self._size
        for params, outcome in zip(self._asked, outcomes, strict=True):
            trial = Trial(len(self._told), generation, params)
            self._told.append(FinishedTrial(trial, outcome))


def generation_size(trials: int, spec: ProblemSpec, least: int) -> int:
    """How many trials of a search are asked together, as the search decides it."""
    settings = StudySettings(spec, {}, trials=trials)
    return default_generation(settings, least) or trials


def lab_sampler(study_seed: int, trials: int) -> OurSampler:
    """TPE for the lab's problem."""
    size = generation_size(trials, SPEC, CompiledEngine.generation)
    return OurSampler(load_space("default", SPEC), study_seed, trials, size)


def ask_and_tell(sampler: Sampler, trials: int) -> None:
    """Goes through a whole search, with outcomes that are made up."""
    done = 0
    while done < trials:
        asked = sampler.ask()
        sampler.tell([made_up(params) for params in asked])
        done += len(asked)


def made_up(params: Params) -> Outcome:
    """An outcome that depends smoothly on the trial, as if lr 3 and many epochs were best."""
    distance = (math.log10(params["lr"]) - 0.5) ** 2 + 0.1 * LOSS_FNS.index(params["loss_fn"])
    loss = distance + 500 / params["epochs"]
    return Outcome("COMPLETE", SPEC.scores((loss, loss, loss, 1.0)))


def best_losses(samplers: Sequence[Sampler], trials: int, train: Trainer) -> list[float]:
    """The best final loss, `mse`, of each of some searches.

    They advance side by side, so that each round's trials can be trained as one pack.
    """
    best = [math.inf] * len(samplers)
    done = 0
    while done < trials:
        asked = [sampler.ask() for sampler in samplers]
        outcomes = iter(train([params for batch in asked for params in batch]))
        for i, (sampler, batch) in enumerate(zip(samplers, asked)):
            told = [next(outcomes) for _ in batch]
            sampler.tell(told)
            best[i] = min([best[i], *(o.scores["mse"] for o in told if o.scores is not None)])
        done += len(asked[0])
    return best


def sampler_tpe(plan: Plan) -> Result:
    count = plan.size(TIMED_TRIALS)
    studies, trials = plan.size(STUDIES), plan.size(TRIALS)
    taken = interleaved(
        plan.repeats,
        {
            "ours": lambda: ask_and_tell(lab_sampler(0, count), count),
            "stock": lambda: ask_and_tell(StockSampler(0), count),
        },
    )
    seeds, train = range(studies), fastest_trainer()
    ours = best_losses([lab_sampler(seed, trials) for seed in seeds], trials, train)
    stock = best_losses([StockSampler(seed) for seed in seeds], trials, train)
    found = statistics.median(ours), statistics.median(stock)
    figures = [
        Figure(
            what=f"{count:,} trials asked and told, TPE",
            ours=duration(taken["ours"]),
            against=f"stock TPE, {duration(taken['stock'])}",
            values=ratios(taken["stock"], taken["ours"]),
            goal=at_least(8),
        ),
        Figure(
            what=f"best final loss of {trials} trials, median of {studies} studies",
            ours=f"{found[0]:.3g}",
            against=f"stock TPE, {found[1]:.3g}",
            values=[found[0] / found[1]],
            goal=at_most(1),
        ),
    ]
    notes = [
        "Both models see the same made-up outcomes in the first figure; in the second, trials are "
        "really trained. Ours is told a generation at a time "
        f"(here {generation_size(trials, SPEC, CompiledEngine.generation)} trials), "
        "stock TPE after every single trial, "
        "which is the easier way to find good ones.",
        f"Best final losses: ours from {min(ours):.3g} to {max(ours):.3g}, stock from "
        f"{min(stock):.3g} to {max(stock):.3g}; ours is the better one of "
        f"{sum(a < b for a, b in zip(ours, stock))} of {studies} pairs.",
    ]
    samples = {**taken, "best, ours": ours, "best, stock": stock}
    return Result(figures, samples, notes)


ROWS = (
    Row(
        9,
        "sampler-tpe",
        "`ask_generation`, generation by generation as a search does it, against stock "
        "`TPESampler` with `study.ask` and `study.tell`, epochs and seed as integers.",
        sampler_tpe,
    ),
)
