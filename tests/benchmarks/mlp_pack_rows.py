"""The compiled engine of tables on one core: packs of few lanes, and of lanes of many sorts."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from functools import partial

from tests.benchmarks.core import (
    Action,
    Figure,
    Plan,
    Result,
    Row,
    at_least,
    at_most,
    duration,
    interleaved,
    one_core,
    ratios,
)
from tests.benchmarks.mlp_lessons import EPOCHS, LANES, Lesson, trained
from tests.benchmarks.mlp_rows import NETWORKS
from xortune.sampling import ask_generation
from xortune.settings import SamplerName
from xortune.space import load_space
from xortune.trial import Params

LONG = 400  # epochs of the lane among those that rest
RESTING = 63
BLOCK = 16
INPUTS = 8
WIDTH, DEPTH = 48, 2
GENERATIONS = (31, 64)
BY_PLAIN = 12  # trials of the default space that the plain engine trains, too


def engine_mlp_packs(plan: Plan) -> Result:
    with one_core():
        few = {network: _few_lanes(plan, network) for network in NETWORKS}
        lesson = Lesson(INPUTS, 1)
        sorts = _sorts(lesson, plan.size(LANES))
        packs = {name: partial(trained, lesson.mlp, pack) for name, pack in sorts.items()}
        plain = partial(trained, lesson.plain, sorts["the space"][:BY_PLAIN])
        taken = interleaved(plan.repeats, {**packs, "plain": plain}, warm_up=True)
    figures = [
        figure
        for network, seconds in few.items()
        for figure in _of_few_lanes(plan.size(LONG), network, seconds)
    ]
    notes = [
        "16 lanes share a vector, whether or not they all have something to learn.",
        f"The trials of the default space have {EPOCHS} epochs each and do not end early: "
        "activations, optimizers, weight decays, schedules, dropout, learning rates and batches of "
        f'32 and 64 as it draws them. One sort is row 25\'s. "Of one size" is {DEPTH} hidden '
        f"layers of {WIDTH} units for both; otherwise sizes, too, are drawn, and the one sort has "
        f"layers of {_width(sorts['the space'])} units, which are as many weights on average.",
        f"The plain engine trained {BY_PLAIN} of the trials.",
    ]
    samples = {
        **{f"{n}, {name}": v for n, some in few.items() for name, v in some.items()},
        **taken,
    }
    return Result([*figures, *_of_sorts(sorts, taken)], samples, notes)


def _few_lanes(plan: Plan, network: str) -> dict[str, list[float]]:
    lesson, long = Lesson.of(network), plan.size(LONG)
    sixteen = lesson.trials(network, BLOCK, long)
    resting = [*sixteen[:1], *lesson.trials(network, RESTING, 1)]
    actions: dict[str, Action] = {
        "16 lanes": lambda: trained(lesson.mlp, sixteen),
        "one lane": lambda: trained(lesson.mlp, sixteen[:1]),
        "one long lane": lambda: trained(lesson.mlp, resting),
    }
    return interleaved(plan.repeats, actions, warm_up=True)


def _of_few_lanes(long: int, network: str, taken: Mapping[str, list[float]]) -> list[Figure]:
    against = f"16 lanes for {long} epochs, {duration(taken['16 lanes'])}"
    whats = {
        "one lane": f"one lane of {network}",
        "one long lane": f"one lane of {network} among {RESTING} of 1 epoch",
    }
    return [
        Figure(
            what,
            duration(taken[name]),
            against,
            ratios(taken[name], taken["16 lanes"]),
            at_most(1.2),
        )
        for name, what in whats.items()
    ]


def _sorts(lesson: Lesson, lanes: int) -> dict[str, list[Params]]:
    """The packs that are compared, by name."""
    size = {"width": WIDTH, "depth": DEPTH}
    found = drawn(lesson, "random", lanes)
    one_size = [lesson.trial({**trial, **size}) for trial in found]
    one_sort = [lesson.trial({**size, "seed": seed}) for seed in range(lanes)]
    average = {"width": _width(found), "depth": DEPTH}
    return {
        "one size": one_size,
        "one size and sort": one_sort,
        "the space": found,
        "one sort": [lesson.trial({**average, "seed": seed}) for seed in range(lanes)],
        **{f"{count} lanes": drawn(lesson, "tpe", count) for count in GENERATIONS},
    }


def drawn(lesson: Lesson, sampler: SamplerName, count: int) -> list[Params]:
    """Trials of the default space, as a search asks for its first ones."""
    space = load_space("table", lesson.spec)
    found = ask_generation(space, sampler, 0, 0, count, [])
    return [lesson.trial({**trial, "epochs": EPOCHS, "early_stopping": 0}) for trial in found]


def _weights(width: int, depth: int) -> int:
    """The weights of a network, without biases."""
    sizes = (INPUTS, *[width] * depth, 1)
    return sum(math.prod(pair) for pair in itertools.pairwise(sizes))


def _width(trials: Sequence[Params]) -> int:
    """The width of a network of DEPTH layers that has as many weights as trials on average."""
    mean = statistics.mean(_weights(trial["width"], trial["depth"]) for trial in trials)
    return min(range(1, 1000), key=lambda width: abs(_weights(width, DEPTH) - mean))


def _of_sorts(
    sorts: Mapping[str, Sequence[Params]], taken: Mapping[str, list[float]]
) -> list[Figure]:
    lane = {name: [s / len(pack) / EPOCHS for s in taken[name]] for name, pack in sorts.items()}
    plain = [seconds / BY_PLAIN / EPOCHS for seconds in taken["plain"]]
    lanes = len(sorts["the space"])
    speed = "speed by the lane"
    figures = [
        Figure(
            f"{speed}, {lanes} lanes of {what}",
            f"{duration(lane[ours])} an epoch",
            f"{lanes} of one sort, {duration(lane[other])}",
            ratios(lane[other], lane[ours]),
            at_least(0.5),
        )
        for what, ours, other in (
            ("the default space, of one size", "one size", "one size and sort"),
            ("the default space", "the space", "one sort"),
        )
    ]
    figures += [
        Figure(
            f"{speed}, {count} lanes of the default space",
            f"{duration(lane[f'{count} lanes'])} an epoch",
            f"{lanes} lanes, {duration(lane['the space'])}",
            ratios(lane["the space"], lane[f"{count} lanes"]),
        )
        for count in GENERATIONS
    ]
    against = f"the plain engine, {duration(plain)}"
    ours = f"{duration(lane['the space'])} an epoch"
    what = f"{speed}, {lanes} lanes of the default space"
    return [*figures, Figure(what, ours, against, ratios(plain, lane["the space"]))]


ROWS = (
    Row(
        26,
        "engine-mlp-packs",
        "Packs of the compiled engine of tables on one core: one lane alone and one among others "
        "that rest, against 16 lanes; and trials of the default space, against those of one sort.",
        engine_mlp_packs,
    ),
)
