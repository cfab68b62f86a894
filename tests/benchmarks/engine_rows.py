"""The engine against the lab's loop, and against C."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from tests.benchmarks import lab_loop, stock_step
from tests.benchmarks.core import (
    Action,
    Figure,
    Goal,
    Plan,
    Result,
    Row,
    Skipped,
    at_least,
    at_most,
    duration,
    interleaved,
    rate,
    ratios,
    seconds,
)
from tests.make import make_params
from xortune.engines.xor.engines import CompiledEngine, EagerEngine
from xortune.engines.xor.kernels import Block, Stretch
from xortune.engines.xor.native import built_library, load_library
from xortune.engines.xor.native.block import CompiledKernels
from xortune.errors import NoEngineError
from xortune.problems.xor.spec import LOSS_FNS, SPEC, LossFn
from xortune.sampling import ask_generation
from xortune.space import load_space
from xortune.trial import Lane, Outcome, Params

LANES = 4096
LOOP_EPOCHS = 5000
# How often a pack of a few milliseconds is trained at a time.
TIMES = 20
CLOSE = 0.01

Trainer = Callable[[Sequence[Params]], list[Outcome]]


def random_trials(count: int) -> list[Params]:
    """Trials of the default space, as the random sampler draws them."""
    return list(ask_generation(load_space("default", SPEC), "random", 0, 0, count, []))


def trainer(engine: str) -> Trainer:
    """Trains packs by an engine, `eager` or `compiled`.

    Raises:
        Skipped: the compiled engine is not available on this machine.
    """
    try:
        made = EagerEngine("xor") if engine == "eager" else CompiledEngine("xor", built_library())
    except NoEngineError as error:
        raise Skipped(str(error)) from error
    opened = made.open("cpu")
    return lambda params: opened.train([*map(Lane, params)], log_every=500)


def fastest_trainer() -> Trainer:
    """Trains packs by the engine that a search takes on this machine."""
    try:
        return trainer("compiled")
    except Skipped:
        return trainer("eager")


def engine_eager(plan: Plan) -> Result:
    train = trainer("eager")
    mixed = random_trials(plan.size(LANES))
    alone = [make_params(**{**trial, "loss_fn": "mse"}) for trial in mixed]
    epochs, loop_epochs = total(mixed), total(loop_trials(plan))
    taken = interleaved(
        plan.repeats,
        {
            "engine": lambda: train(mixed),
            "loop": loop(loop_trials(plan)),
            "engine, mse": lambda: train(alone),
            "loop, mse": loop(loop_trials(plan, ("mse",))),
        },
        warm_up=True,
    )

    def figure(what: str, engine: str, against: str, goal: Goal | None) -> Figure:
        slower = [loop_seconds * epochs / loop_epochs for loop_seconds in taken[against]]
        return Figure(
            what=f"trial-epochs, {len(mixed):,} lanes, {what}",
            ours=rate(epochs, taken[engine]),
            against=f"the lab's loop, {rate(loop_epochs, taken[against])}",
            values=ratios(slower, taken[engine]),
            goal=goal,
        )

    figures = [
        figure("all three losses", "engine", "loop", at_least(5000)),
        figure("MSE alone", "engine, mse", "loop, mse", None),
    ]
    notes = [
        "The goal was set for a loop of 1,900 epochs a second; on one thread of a machine at rest "
        "it does more than twice that. This engine is what is left without a C compiler."
    ]
    return Result(figures, taken, notes)


def engine_eager_one_lane(plan: Plan) -> Result:
    train = trainer("eager")
    trials = loop_trials(plan)
    taken = interleaved(
        plan.repeats,
        {"engine": lambda: [train([trial]) for trial in trials], "loop": loop(trials)},
        warm_up=True,
    )
    figure = Figure(
        what="trial-epochs, one lane, all three losses",
        ours=rate(total(trials), taken["engine"]),
        against=f"the lab's loop, {rate(total(trials), taken['loop'])}",
        values=ratios(taken["loop"], taken["engine"]),
        goal=at_least(8),
    )
    return Result([figure], taken)


def engine_compiled(plan: Plan) -> Result:
    trials = random_trials(plan.size(LANES))
    epochs, loop_epochs = total(trials), total(loop_trials(plan))
    train = trainer("compiled")
    first = seconds(lambda: train(trials))
    losses = np.array(
        [outcome.scores["mse"] if outcome.scores else np.nan for outcome in train(trials)]
    )
    alone = TrainingAlone(trials)
    alone.prepare(1 + plan.repeats)
    libmvec, own_exp = (stock_step.Lanes(trials, own_exp=own) for own in (False, True))
    taken = interleaved(
        plan.repeats,
        {
            "engine": lambda: train(trials),
            "training": alone.train,
            "loop": loop(loop_trials(plan)),
            "C, libmvec's exp": libmvec.train,
            "C, exp inlined": own_exp.train,
        },
        warm_up=True,
    )
    agreement = max(_disagreement(trials, losses, lanes) for lanes in (libmvec, own_exp))
    slower = [loop_seconds * epochs / loop_epochs for loop_seconds in taken["loop"]]
    parts = {
        "engine": f"a whole pack of {len(trials):,} lanes, all losses",
        "training": "the training alone, on the same lanes",
    }
    figures = [
        Figure(what, rate(epochs, taken[part]), against, ratios(other, taken[part]), goal)
        for part, what in parts.items()
        for against, other, goal in (
            (f"the lab's loop, {rate(loop_epochs, taken['loop'])}", slower, at_least(30_000)),
            *(
                (f"{c}, {rate(epochs, taken[c])}", taken[c], at_least(0.6))
                for c in ("C, libmvec's exp", "C, exp inlined")
            ),
        )
    ]
    notes = [
        "A whole pack is what a worker trains: initial weights, training, curves with a point "
        "every 500 epochs, scores, and a Python object for every outcome. C is the training "
        "alone, from weights that exist already, as is the engine's block in the last three lines.",
        "The goals were set for a loop of 1,900 epochs a second; on one thread of a machine at "
        "rest it does more than twice that.",
        f"C was compiled by {stock_step.compiler()}, with -O3 -march=native -ffast-math.",
        f"C's final losses and ours differ by {agreement:.1g} of their value at the most, for "
        f"learning rates up to 1; more than {CLOSE:g} would have been an error.",
        f"The first pack, for which the engine may have been compiled, took {first:.2g} s.",
    ]
    return Result(figures, taken, notes)


def engine_few_lanes(plan: Plan) -> Result:
    train = trainer("compiled")
    epochs = plan.size(300_000)
    many, lanes, alone = (
        [make_params(0.5, epochs, seed) for seed in range(count)] for count in (LANES, 16, 1)
    )
    many = [make_params(**{**trial, "epochs": epochs // 16}) for trial in many]
    beside = [*alone, *(make_params(0.5, 5, seed) for seed in range(1, 64))]
    packs = {"10 lanes": few_lanes(10), "63 lanes": few_lanes(63)}
    actions = {
        "1 lane": lambda: train(alone),
        "16 lanes": lambda: train(lanes),
        "1 long lane": lambda: train(beside),
        **{name: partial(_often, train, trials) for name, trials in packs.items()},
        "many": lambda: train(many),
    }
    taken = interleaved(plan.repeats, actions, warm_up=True)
    for name in packs:
        taken[name] = [seconds / TIMES for seconds in taken[name]]
    sixteen = [seconds / epochs for seconds in taken["16 lanes"]]

    def figure(what: str, name: str, longest: int, goal: Goal) -> Figure:
        """Against what 16 lanes would take for the epochs of the longest lane."""
        expected = [seconds * longest for seconds in sixteen]
        against = f"16 lanes for {longest:,} epochs, {duration(expected)}"
        return Figure(what, duration(taken[name]), against, ratios(taken[name], expected), goal)

    figures = [
        figure("one lane", "1 lane", epochs, at_most(1.2)),
        figure("one lane among 63 of 5 epochs", "1 long lane", epochs, at_most(1.2)),
        *(
            figure(
                f"{name} of the default space",
                name,
                max(t["epochs"] for t in trials),
                at_most(bound),
            )
            for (name, trials), bound in zip(packs.items(), (2.0, 3.0))
        ),
        Figure(
            what="an epoch of 16 lanes, by the lane",
            ours=duration([seconds / 16 for seconds in sixteen]),
            against=f"of {LANES:,} lanes",
            values=ratios(
                [seconds / 16 for seconds in sixteen],
                [seconds / LANES / (epochs // 16) for seconds in taken["many"]],
            ),
        ),
    ]
    notes = [
        "A processor trains 16 or 32 lanes with one instruction each, whether they all have "
        "something to learn or not. The lanes of the default space are those that TPE asks for "
        "first; their curves have a point every 500 epochs.",
    ]
    return Result(figures, taken, notes)


def _often(train: Trainer, trials: Sequence[Params]) -> None:
    for _ in range(TIMES):
        train(trials)


def few_lanes(count: int) -> list[Params]:
    """A first generation of the default space, as TPE asks for it."""
    return list(ask_generation(load_space("default", SPEC), "tpe", 0, 0, count, []))


class TrainingAlone:
    """What is left of a pack without initial weights, curves and outcomes.

    Args:
        trials: what to train.
    """

    def __init__(self, trials: Sequence[Params]) -> None:
        self._trials = sorted(trials, key=lambda trial: -trial["epochs"])
        self._kernels = CompiledKernels("xor", load_library(built_library()), len(trials))
        self._blocks: Iterator[Block] = iter(())

    def prepare(self, blocks: int) -> None:
        """Draws the initial weights of as many trainings, which are not timed."""
        stretch = Stretch(self._trials, [trial["epochs"] for trial in self._trials])
        self._blocks = iter([self._kernels.block(stretch) for _ in range(blocks)])

    def train(self) -> None:
        """Trains all trials from their initial weights."""
        next(self._blocks).advance(self._trials[0]["epochs"])


def loop_trials(plan: Plan, losses: Sequence[LossFn] = LOSS_FNS) -> list[Params]:
    """A few trials for the lab's loop, of LOOP_EPOCHS in all."""
    epochs = plan.size(LOOP_EPOCHS) // len(losses)
    return [make_params(0.5, epochs, seed, name) for seed, name in enumerate(losses)]


def loop(trials: Sequence[Params]) -> Action:
    return lambda: [lab_loop.train(trial, log_every=0) for trial in trials]


def total(trials: Sequence[Params]) -> int:
    return sum(trial["epochs"] for trial in trials)


def _disagreement(trials: Sequence[Params], ours: np.ndarray, lanes: stock_step.Lanes) -> float:
    """The largest relative difference of final losses for lr up to 1; larger ones are chaotic."""
    tame = np.array([trial["lr"] <= 1 for trial in trials])
    difference = float((np.abs(lanes.final_losses() - ours) / ours)[tame].max())
    if not difference <= CLOSE:
        raise AssertionError(f"C does not train the same trials: losses differ by {difference:.3g}")
    return difference


ROWS = (
    Row(
        1,
        "engine-eager",
        "A pack without compilation on one core, trials of the default space drawn at "
        "random, against the lab's loop, which trains one trial after the other without a curve.",
        engine_eager,
    ),
    Row(
        2,
        "engine-eager-one-lane",
        "Packs without compilation, one trial at a time, against the lab's loop.",
        engine_eager_one_lane,
    ),
    Row(
        3,
        "engine-compiled",
        "A pack of the compiled engine on one core, the trials of row 1, against the lab's "
        "loop and against plain C (`stock_step.c`).",
        engine_compiled,
    ),
    Row(
        14,
        "engine-few-lanes",
        "Packs of the compiled engine on one core that fill no instruction: each "
        "against 16 lanes that train for as many epochs as its longest one.",
        engine_few_lanes,
    ),
)
