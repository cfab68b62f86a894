"""Functions and tables of data: against stock Tune, Optuna alone and scikit-learn."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

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
    more_than,
    ratios,
    seconds,
)
from tests.benchmarks.processes import (
    REST_S,
    PrivateMemory,
    module,
    private_memory,
    run,
    search,
    warm_up,
)
from tests.benchmarks.search_rows import extrapolated, extrapolation_notes

_FOLDER = Path(__file__).parent
ONE_MS = ("--problem", str(_FOLDER / "one_ms.py"), "--runner", "inline")
MADE_TABLE = str(_FOLDER / "made_table.yaml")
SMALL_MODELS = str(_FOLDER / "small_models.yaml")
SCORED = {"breast cancer": 3, "wine": 3, "digits": 3, "diabetes": 3}  # seeds of a study
MB = 1_000_000
LEAST_S = 0.1


class StockTune:
    """Runs a script of stock Tune, and keeps how long its trials took after the first ones."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._rest_s: list[float] = []

    def __call__(self) -> None:
        printed = run("-m", *self._arguments)
        self._rest_s.append(json.loads(printed.splitlines()[-1])["rest_s"])

    def first(self, taken: Sequence[float]) -> list[float]:
        """Seconds for the first trials alone, one a CPU: free of the noise of a second start."""
        return [a - b for a, b in zip(taken, self._rest_s, strict=True)]


def function_overhead(plan: Plan) -> Result:
    warm_up()
    count, few = plan.size(1000), max(plan.size(60), 2 * CPUS)
    stock = StockTune("tests.benchmarks.stock_function_tune", "--trials", str(few))
    with tempfile.TemporaryDirectory() as scratch:
        actions: dict[str, Action] = {
            "ours": search(scratch, count, *ONE_MS),
            "Optuna": _optuna_alone(count),
            "ours, one": search(scratch, 1, *ONE_MS),
            "Optuna, one": _optuna_alone(1),
            "stock, few": stock,
        }
        taken = interleaved(plan.repeats, actions, rest=REST_S)
    taken["stock, first"] = stock.first(taken["stock, few"])
    tpe = {trials: tpe_seconds(_of_function, trials) for trials in (few, count)}
    stock_s = extrapolated(taken["stock, first"], taken["stock, few"], tpe, CPUS)
    ours, optuna, tune = (
        _beyond(count, whole) for whole in (taken["ours"], taken["Optuna"], stock_s)
    )
    ours_aside, optuna_aside = (
        _beyond(count - 1, [a - b for a, b in zip(taken[name], taken[f"{name}, one"])])
        for name in ("ours", "Optuna")
    )
    what = f"overhead, {count:,} trials of 1 ms, TPE"
    figures = [
        Figure(
            what,
            duration(ours),
            f"stock Tune, {duration(tune)} (extrapolated)",
            ratios(tune, ours),
            at_least(20),
        ),
        Figure(
            f"{what}, start-up aside",
            duration(ours_aside),
            f"Optuna alone, {duration(optuna_aside)}",
            ratios(ours_aside, optuna_aside),
            at_most(3),
        ),
        Figure(what, duration(ours), f"Optuna alone, {duration(optuna)}", ratios(ours, optuna)),
    ]
    notes = [
        f"Overhead is the time of the whole command beyond {count:,} times 1 ms, as if all trials "
        "had been trained one after the other. Start-up is the same command with one trial. "
        f"Less than {LEAST_S:g} s is taken as that much.",
        "Ours writes the ledger, a TensorBoard run for every trial and the tables; Optuna alone "
        "writes nothing.",
        *extrapolation_notes(taken["stock, first"], taken["stock, few"], tpe, CPUS),
    ]
    return Result(figures, {**taken, "stock": stock_s, "stock TPE": list(tpe.values())}, notes)


def table_search(plan: Plan) -> Result:
    from tests.benchmarks.made_table import write_csv

    warm_up()
    count, few, rows = plan.size(100), max(plan.size(20), 2 * CPUS), 2000
    with tempfile.TemporaryDirectory() as scratch:
        table = Path(scratch) / "made.csv"
        write_csv(table, rows, inputs=8)
        data = (MADE_TABLE, "--data", str(table), "--target", "y", "--engine", "plain")
        stock = StockTune("tests.benchmarks.stock_table_tune", str(table), "--trials", str(few))
        actions: dict[str, Action] = {
            "ours": search(scratch, count, *data),
            "stock, few": stock,
        }
        taken = interleaved(plan.repeats, actions, rest=REST_S)
    taken["stock, first"] = stock.first(taken["stock, few"])
    tpe = {trials: tpe_seconds(_of_table, trials) for trials in (few, count)}
    stock_s = extrapolated(taken["stock, first"], taken["stock, few"], tpe, CPUS)
    figures = [
        Figure(
            f"wall clock, {count} trials of 20 epochs, {rows:,} rows, TPE, `--engine plain`",
            duration(taken["ours"]),
            f"stock Tune, {duration(stock_s)} (extrapolated)",
            ratios(stock_s, taken["ours"]),
            at_least(3),
        )
    ]
    notes = [
        "Both train on 1,200 of the rows and measure the loss on 400 others after every epoch. "
        "Stock Tune measures and writes nothing else for a trial.",
        *extrapolation_notes(taken["stock, first"], taken["stock, few"], tpe, CPUS),
    ]
    return Result(figures, {**taken, "stock": stock_s, "stock TPE": list(tpe.values())}, notes)


def scored(plan: Plan) -> Result:
    trials = plan.size(200)
    figures, samples = [], {}
    for name, most in SCORED.items():
        seeds = range(1 if plan.quick else most)
        found = [_scores(name, trials, seed) for seed in seeds]
        whose = ("ours", "stock", "stock, standardised")
        ours, stock, standardised = ([score[who] for score in found] for who in whose)
        samples |= {f"{name}, ours": ours, f"{name}, scikit-learn": stock}
        samples[f"{name}, scikit-learn, standardised"] = standardised
        rows, metric = found[0]["test rows"], found[0]["metric"]
        counted = f"{len(seeds)} seeds" if len(seeds) > 1 else "1 seed"
        what = f"{name}: {metric} on {rows} test rows, {trials} trials, {counted}"
        for words, scores, goal in (
            ("scikit-learn", stock, more_than(0)),
            ("with standardised rows", standardised, None),
        ):
            better = [a - b for a, b in zip(ours, scores, strict=True)]
            against = f"{words}, {_score(scores)}"
            figures.append(Figure(what, _score(ours), against, better, goal, unit=""))
    notes = [
        "The median is that of the difference, ours less scikit-learn's, over studies that differ "
        "in their seed and in the split of the rows; whatever --repeats says.",
        "scikit-learn's score is the mean of random states 0 to 4.",
    ]
    return Result(figures, samples, notes)


def table_memory(plan: Plan) -> Result:
    from tests.benchmarks.made_table import write_npz

    inputs, size = 500, plan.size(200 * MB)
    runners = {"inline": ("--runner", "inline"),
               "Ray": ("--runner", "ray", "--workers", "2", "--pack-size", "1")}  # fmt: skip
    seen: dict[str, PrivateMemory] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for part in (1, 100):
            table = Path(scratch) / f"table-{part}.npz"
            write_npz(table, size // part // (4 * inputs), inputs)
            for name, runner in runners.items():
                options = (SMALL_MODELS, "--data", str(table), "--sampler", "random", *runner)
                seen[f"{name}, {part}"] = private_memory(scratch, 8, *options)
    here, driver = (_extra(seen, name, lambda memory: memory.driver) for name in runners)
    training = _extra(seen, "inline", lambda memory: memory.training)
    worker = _extra(seen, "Ray", lambda memory: max(memory.workers.values()))
    figures = [
        _memory(f"peak of {what}, a table of {size / MB:.0f} MB", extra, size, goal)
        for what, extra, goal in (
            ("each worker, `--runner ray --workers 2`", worker, at_most(0.5)),
            ("the process in training, `--runner inline`", training, at_most(1.5)),
            ("the process, reading included, `--runner inline`", here, None),
            ("the driver, reading included, `--runner ray --workers 2`", driver, None),
        )
    ]
    notes = [
        "Memory is resident memory less what is shared, so that Ray's object store, which holds "
        "the table once for all workers of a node, is not in it. What the same search takes over "
        "a hundredth of the rows is subtracted. Of two workers it is that of the larger one.",
        "The size is that of the prepared table, all parts of it, in MB of 10^6 bytes.",
        "Measured once, whatever --repeats says.",
    ]
    samples = {name: [m.driver, m.training, *m.workers.values()] for name, m in seen.items()}
    return Result(figures, samples, notes)


def _beyond(trials: int, taken: Sequence[float]) -> list[float]:
    """Seconds beyond a millisecond for each trial; never less than start-up varies by."""
    from tests.benchmarks.one_ms import SECONDS

    return [max(whole - trials * SECONDS, LEAST_S) for whole in taken]


def _optuna_alone(trials: int) -> Action:
    return module("tests.benchmarks.stock_function_optuna", "--trials", str(trials))


def tpe_seconds(objective: Callable[[Any], float], trials: int) -> float:
    """Seconds in which stock TPE asks and tells, with an objective that takes no time."""
    from tests.benchmarks.stock_function_optuna import optimised

    return seconds(lambda: optimised(objective, trials))


def _of_function(trial: Any) -> float:
    from tests.benchmarks.one_ms import value
    from tests.benchmarks.stock_function_optuna import suggest

    return value(*suggest(trial))


def _of_table(trial: Any) -> float:
    """A made-up loss, whose lowest lies at a learning rate of 0.01."""
    lr = trial.suggest_float("lr", 1e-4, 0.1, log=True)
    return (math.log10(lr) + 2) ** 2 + 1e-6 * trial.suggest_int("seed", 0, 9999)


def _scores(name: str, trials: int, seed: int) -> dict[str, Any]:
    numbers = ("--trials", str(trials), "--study-seed", str(seed))
    printed = run("-m", "tests.benchmarks.stock_scores", name, *numbers)
    result: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return result


def _score(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.4f}"


def _extra(
    seen: dict[str, PrivateMemory], runner: str, measure: Callable[[PrivateMemory], int]
) -> int:
    """Bytes beyond those for a hundredth of the table."""
    return measure(seen[f"{runner}, 1"]) - measure(seen[f"{runner}, 100"])


def _memory(what: str, extra: int, size: int, goal: Any) -> Figure:
    ours, against = f"{extra / MB:.0f} MB", f"the table, {size / MB:.0f} MB"
    return Figure(what, ours, against, [extra / size], goal)


ROWS = (
    Row(
        15,
        "function-1000",
        "`python -m xortune search --problem tests/benchmarks/one_ms.py --trials 1000 --runner "
        "inline --quiet` against `python -m tests.benchmarks.stock_function_tune --trials 60`, "
        "Ray Tune with OptunaSearch, extrapolated, and against "
        "`python -m tests.benchmarks.stock_function_optuna --trials 1000`.",
        function_overhead,
    ),
    Row(
        16,
        "table-100",
        "`python -m xortune search tests/benchmarks/made_table.yaml --data made.csv --target y "
        "--trials 100 --engine plain --quiet` against "
        "`python -m tests.benchmarks.stock_table_tune made.csv --trials 20`, Ray Tune with "
        "OptunaSearch and a plain PyTorch loop, extrapolated.",
        table_search,
    ),
    Row(
        17,
        "test-scores",
        "`python -m tests.benchmarks.stock_scores NAME --trials 200`: the test score of the best "
        "trial of the default space, against `MLPClassifier` or `MLPRegressor` with their "
        "defaults, trained on the training and validation rows.",
        scored,
    ),
    Row(
        18,
        "table-memory",
        "`python -m xortune search tests/benchmarks/small_models.yaml --data table.npz "
        "--trials 8 --quiet`: the memory of its "
        "processes, without Ray's object store.",
        table_memory,
    ),
)
