"""Whole searches, as commands: against the floor, stock Tune and Optuna alone."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache

from tests.benchmarks.core import (
    CPUS,
    Action,
    Figure,
    Plan,
    Result,
    Row,
    at_least,
    at_most,
    duration,
    interleaved,
    ratios,
    seconds,
)
from tests.benchmarks.processes import (
    REST_S,
    module,
    run,
    search,
    search_watching_memory,
    warm_up,
)
from tests.benchmarks.sampler_rows import ask_and_tell
from tests.benchmarks.stock_sampler import StockSampler

FLOOR = module("tests.benchmarks.floor")
ON_RAY = ("--runner", "ray")
_LEAST_S = 0.1


class StockTune:
    """Runs stock Tune, and keeps what it said of itself."""

    def __init__(self, trials: int) -> None:
        self._trials = str(trials)
        self.epochs: list[int] = []

    def __call__(self) -> None:
        printed = run("-m", "tests.benchmarks.stock_tune", "--trials", self._trials)
        self.epochs.append(json.loads(printed.splitlines()[-1])["epochs"])


def above(floor: Sequence[float], taken: Sequence[float], least: float = _LEAST_S) -> list[float]:
    """Seconds above the floor of the same turn; never less than `least`."""
    return [max(a - b, least) for a, b in zip(taken, floor, strict=True)]


@cache
def searches_of_50(plan: Plan) -> dict[str, list[float]]:
    """Ours, ours on Ray, the floor and stock Tune in turn; Optuna alone once, afterwards."""
    warm_up()
    count = plan.size(50)
    optuna_alone = module("tests.benchmarks.optuna_alone", "--trials", str(count))
    with tempfile.TemporaryDirectory() as scratch:
        actions: dict[str, Action] = {
            "ours": search(scratch, count),
            "floor": FLOOR,
            "on Ray": search(scratch, count, *ON_RAY),
            "stock": StockTune(count),
        }
        taken = interleaved(plan.repeats, actions, rest=REST_S)
    return {**taken, **interleaved(1, {"optuna": optuna_alone}, rest=REST_S)}


def search_50(plan: Plan) -> Result:
    taken = searches_of_50(plan)
    figures = [
        Figure(
            what=f"wall clock, {plan.size(50)} trials, TPE{where}",
            ours=duration(taken[ours]),
            against=f"the floor, {duration(taken['floor'])}",
            values=ratios(taken[ours], taken["floor"]),
            goal=goal,
        )
        for ours, where, goal in (
            ("ours", "", at_most(0.17)),
            ("on Ray", ", `--runner ray`", at_most(1.4)),
        )
    ]
    return Result(figures, {name: taken[name] for name in ("ours", "on Ray", "floor")})


def search_50_stock(plan: Plan) -> Result:
    taken = searches_of_50(plan)
    count = plan.size(50)
    # What a floor that varies this much cannot tell from nothing, counts against us.
    noise = max(max(taken["floor"]) - min(taken["floor"]), _LEAST_S)
    on_ray = above(taken["floor"], taken["on Ray"], noise)
    stock = above(taken["floor"], taken["stock"])
    figures = [
        Figure(
            f"wall clock, {count} trials, TPE",
            duration(taken["ours"]),
            f"stock Tune, {duration(taken['stock'])}",
            ratios(taken["stock"], taken["ours"]),
            at_least(3),
        ),
        Figure(
            f"wall clock above the floor, {count} trials, TPE, `--runner ray`",
            duration(on_ray),
            f"stock Tune, {duration(stock)}",
            ratios(stock, on_ray),
            at_least(15),
        ),
        Figure(
            f"wall clock, {count} trials, TPE",
            duration(taken["ours"]),
            f"Optuna alone, {duration(taken['optuna'])}",
            [taken["optuna"][0] / statistics.median(taken["ours"])],
        ),
    ]
    notes = [
        "The runs are those of row 4, in turn. Optuna alone was measured once, after them.",
        f"The floor varied by {noise:.2g} s. Where ours on Ray is less than that above it, that "
        "much is taken in its place.",
    ]
    return Result(figures, taken, notes)


def search_1000_tpe(plan: Plan) -> Result:
    warm_up()
    count, few = plan.size(1000), plan.size(100)
    stock = StockTune(few)
    with tempfile.TemporaryDirectory() as scratch:
        actions: dict[str, Action] = {
            "ours": search(scratch, count),
            "floor": FLOOR,
            "stock, few": stock,
        }
        taken = interleaved(plan.repeats, actions, rest=REST_S)
    tpe = {trials: stock_tpe_seconds(trials) for trials in (few, count)}
    stock_s = extrapolated(taken["floor"], taken["stock, few"], tpe)
    figures = [
        Figure(
            what=f"wall clock, {count:,} trials, TPE",
            ours=duration(taken["ours"]),
            against=against,
            values=values,
            goal=goal,
        )
        for against, values, goal in (
            (
                f"stock Tune, {duration(stock_s)} (extrapolated)",
                ratios(stock_s, taken["ours"]),
                at_least(180),
            ),
            (
                f"the floor, {duration(taken['floor'])}",
                ratios(taken["ours"], taken["floor"]),
                at_most(0.5),
            ),
        )
    ]
    notes = [
        *extrapolation_notes(taken["floor"], taken["stock, few"], tpe),
        f"Stock Tune's {few} trials had {statistics.mean(stock.epochs) / few:,.0f} epochs each.",
    ]
    samples = {**taken, "stock": stock_s, "stock TPE": list(tpe.values())}
    return Result(figures, samples, notes)


def extrapolated(
    start: Sequence[float], taken: Sequence[float], tpe: Mapping[int, float], first: int = 0
) -> list[float]:
    """Seconds that stock Tune needs for more trials than it ran, turn by turn.

    Args:
        start: seconds of the floor, or of the first trials.
        taken: seconds of the few trials that it ran.
        tpe: seconds in which stock TPE asks and tells the few trials, and all of them.
        first: the number of trials in `start`.
    """
    few, count = tpe
    times = _times(tpe, first)
    extra = max(0.0, tpe[count] - count / few * tpe[few]) / CPUS
    return [a + times * (b - a) + extra for a, b in zip(start, taken, strict=True)]


def extrapolation_notes(
    start: Sequence[float], taken: Sequence[float], tpe: Mapping[int, float], first: int = 0
) -> list[str]:
    """Says how `extrapolated` came to its seconds."""
    few, count = tpe
    name = f"{first} trials" if first else "floor"
    begun = f"and {name} in {duration(start)}" if first else f"with a floor of {duration(start)}"
    return [
        f"Stock Tune ran {few} trials, in {duration(taken)}, {begun}. "
        f"{count:,} were taken to need {name} + {_times(tpe, first):.3g} * ({few} trials - {name}) "
        "+ TPE's growth.",
        f"TPE's growth: asking and telling takes stock TPE {duration([tpe[few]])} for {few} trials "
        f"and {duration([tpe[count]])} for {count:,}; what the latter is more than "
        f"{count / few:.3g} times the former was divided by the {CPUS} CPUs, as if all of them "
        "could share it.",
    ]


def _times(tpe: Mapping[int, float], first: int) -> float:
    few, count = tpe
    return (count - first) / (few - first)


def stock_tpe_seconds(trials: int) -> float:
    return seconds(lambda: ask_and_tell(StockSampler(0), trials))


def search_10000_random(plan: Plan) -> Result:
    warm_up()
    count, few = plan.size(10_000), plan.size(1000)
    random = ("--sampler", "random")
    with tempfile.TemporaryDirectory() as scratch:
        actions: dict[str, Action] = {
            "ours": search(scratch, count, *random),
            "floor": FLOOR,
            "ours, few": search(scratch, few, *random),
            "ours, one": search(scratch, 1, *random),
            "on Ray": search(scratch, count, *random, *ON_RAY),
        }
        taken = interleaved(plan.repeats, actions, rest=REST_S)
    many_s, few_s = (above(taken["ours, one"], taken[name]) for name in ("ours", "ours, few"))
    on_ray_s = above(taken["floor"], taken["on Ray"])
    what = f"{count:,} trials, random"
    figures = [
        Figure(
            f"wall clock, {what}",
            duration(taken["ours"]),
            f"the floor, {duration(taken['floor'])}",
            ratios(taken["ours"], taken["floor"]),
            at_most(0.45),
        ),
        Figure(
            f"wall clock above one trial, {what}",
            duration(many_s),
            f"{few:,} trials, {duration(few_s)}",
            ratios(many_s, few_s),
            at_most(11),
        ),
        Figure(
            f"wall clock above the floor, {what}, `--runner ray`",
            duration(taken["on Ray"]),
            f"the floor, {duration(taken['floor'])}",
            on_ray_s,
            at_most(30),
            unit=" s",
        ),
    ]
    notes = ["Everything is written: the ledger, a TensorBoard run for every trial, the tables."]
    return Result(figures, taken, notes)


def search_100000_random(plan: Plan) -> Result:
    warm_up()
    count = plan.size(100_000)
    with tempfile.TemporaryDirectory() as scratch:
        taken, peak = search_watching_memory(scratch, count, "--sampler", "random")
    what = f"{count:,} trials, random"
    figures = [
        Figure(
            f"peak memory of the driver, {what}", f"{peak:.2f} GB", "", [peak], at_most(2), " GB"
        ),
        Figure(f"wall clock, {what}", duration([taken]), "", [taken], unit=" s"),
    ]
    notes = [
        "Measured once, whatever --repeats says.",
        "The memory is VmHWM of the driver's own process, in GB of 10^9 bytes: neither Ray's "
        "daemons nor its workers are in it.",
    ]
    return Result(figures, {"seconds": [taken], "peak GB": [peak]}, notes)


ROWS = (
    Row(
        4,
        "search-50",
        "`python -m xortune search --trials 50 --quiet` against the floor, "
        "`python -m tests.benchmarks.floor`: a local Ray that runs one Tune trial which imports "
        "PyTorch. With `--runner ray`, too.",
        search_50,
    ),
    Row(
        5,
        "search-50-stock",
        "The same command against `python -m tests.benchmarks.stock_tune --trials 50`, Ray Tune "
        "with OptunaSearch, and against `python -m tests.benchmarks.optuna_alone --trials 50`.",
        search_50_stock,
    ),
    Row(
        6,
        "search-1000-tpe",
        "`python -m xortune search --trials 1000 --quiet` against "
        "`python -m tests.benchmarks.stock_tune --trials 100`, extrapolated.",
        search_1000_tpe,
    ),
    Row(
        7,
        "search-10000-random",
        "`python -m xortune search --trials 10000 --sampler random --quiet` against the floor, and "
        "against the same with 1,000 trials; and with `--runner ray`.",
        search_10000_random,
    ),
    Row(
        8,
        "search-100000-random",
        "`python -m xortune search --trials 100000 --sampler random --quiet`, and the memory that "
        "its process takes.",
        search_100000_random,
    ),
)
