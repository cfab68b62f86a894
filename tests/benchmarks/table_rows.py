"""Searches of tables as commands: against stock Tune, by workers, and by the hundred thousand."""

from __future__ import annotations

import math
import statistics
import tempfile
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.benchmarks.core import (
    CPUS,
    ROOT,
    Action,
    Figure,
    Plan,
    Result,
    Row,
    Skipped,
    at_least,
    at_most,
    duration,
    interleaved,
    ratios,
    seconds,
)
from tests.benchmarks.made_table import write_csv
from tests.benchmarks.mlp_lessons import LANES, Lesson, trained
from tests.benchmarks.mlp_pack_rows import INPUTS, drawn
from tests.benchmarks.problem_rows import StockTune, tpe_seconds
from tests.benchmarks.processes import REST_S, search, search_watching_memory, warm_up
from tests.benchmarks.search_rows import above, extrapolated, extrapolation_notes

WHOLE_TABLE, SHORT_TABLE, TINY_TABLE = 2000, 500, 100  # rows
SPACE_NAME = "tests/benchmarks/default_table.yaml"
SPACE = (str(ROOT / SPACE_NAME), "--set", "epochs=20")
SHORT = (str(ROOT / SPACE_NAME), "--set", "epochs=10", "--sampler", "random")
TINY = (str(ROOT / SPACE_NAME), "--set", "epochs=5", "--set", "width=16..32", "--sampler", "random")
WORKERS = 2


def table_search(plan: Plan) -> Result:
    warm_up()
    count, few = plan.size(500), max(plan.size(50), 2 * CPUS)
    with tempfile.TemporaryDirectory() as scratch:
        table = _table(scratch, WHOLE_TABLE)
        stock = StockTune("tests.benchmarks.stock_space_tune", str(table), "--trials", str(few))
        data = (*SPACE, "--data", str(table), "--target", "y")
        search(scratch, CPUS, *data)()  # compiles the engine
        actions: dict[str, Action] = {"ours": search(scratch, count, *data), "stock, few": stock}
        taken = interleaved(plan.repeats, actions, rest=REST_S)
    taken["stock, first"] = stock.first(taken["stock, few"])
    tpe = {trials: tpe_seconds(_of_space, trials) for trials in (few, count)}
    stock_s = extrapolated(taken["stock, first"], taken["stock, few"], tpe, CPUS)
    figures = [
        Figure(
            f"wall clock, {count} trials of 20 epochs, {WHOLE_TABLE:,} rows, TPE",
            duration(taken["ours"]),
            f"stock Tune, {duration(stock_s)} (extrapolated)",
            ratios(stock_s, taken["ours"]),
            at_least(100),
        )
    ]
    notes = [
        "Both train on 1,200 of the rows and measure the loss on 400 others after every epoch. "
        "Ours writes the ledger, a TensorBoard run for every trial and the tables; stock Tune "
        f"writes nothing for a trial, and trains {CPUS} trials at a time.",
        *extrapolation_notes(taken["stock, first"], taken["stock, few"], tpe, CPUS),
        "TPE goes to the largest networks, two layers of 128 units: 500 of them are 1.4 TFLOP, of "
        "which one core does about 0.095 a second. So the goal is out of reach of any engine on "
        "this machine.",
    ]
    return Result(figures, {**taken, "stock": stock_s, "stock TPE": list(tpe.values())}, notes)


def table_workers(plan: Plan) -> Result:
    if CPUS < WORKERS:
        raise Skipped(f"it needs {WORKERS} cores")
    warm_up()
    count = plan.size(20_000)
    with tempfile.TemporaryDirectory() as scratch:
        table = str(_table(scratch, SHORT_TABLE))
        commands = {
            workers: (*SHORT, "--data", table, "--target", "y", "--runner", "ray", "--workers",
                      str(workers))
            for workers in (1, WORKERS)
        }  # fmt: skip
        actions: dict[str, Action] = {}
        for workers, options in commands.items():
            actions[f"{workers} started"] = search(scratch, workers, *options)
            actions[f"{workers}"] = search(scratch, count, *options)
        taken = interleaved(plan.repeats, actions, rest=REST_S)
    one, two = (above(taken[f"{n} started"], taken[f"{n}"]) for n in commands)
    alone = [_busy_s(1) for _ in range(plan.repeats)]
    together = [_busy_s(WORKERS) for _ in range(plan.repeats)]
    figures = [
        Figure(
            f"wall clock above the start, {count:,} trials, random, `--workers {WORKERS}`",
            duration(two),
            f"`--workers 1`, {duration(one)}",
            ratios(one, two),
            at_least(1.9),
        ),
        Figure(
            f"what {WORKERS} processes that do nothing but train reach at once",
            duration(together),
            f"one process, {duration(alone)}",
            [WORKERS * ratio for ratio in ratios(alone, together)],
        ),
    ]
    notes = [
        f"Trials of 10 epochs on 300 of {SHORT_TABLE} rows. The start is the same command with a "
        "trial for each worker. The driver needs a core, too: it writes the ledger, a TensorBoard "
        f"run for every trial and the tables on the same {CPUS} cores.",
        f"The last line is the machine's own limit: packs of {LANES} lanes of the default space "
        "by the engine alone, in one process and in two at once.",
    ]
    return Result(figures, {**taken, "alone": alone, "together": together}, notes)


def table_100000(plan: Plan) -> Result:
    warm_up()
    many, few = plan.size(100_000), plan.size(10_000)
    with tempfile.TemporaryDirectory() as scratch:
        options = (*TINY, "--data", str(_table(scratch, TINY_TABLE)), "--target", "y")
        actions: dict[str, Action] = {
            "one": search(scratch, 1, *options),
            "few": search(scratch, few, *options),
        }
        taken = interleaved(plan.repeats, actions, rest=REST_S)
        whole, peak = search_watching_memory(scratch, many, *options)
    one = statistics.median(taken["one"])
    each, of_few = ((whole - one) / many, [(s - one) / few for s in taken["few"]])
    what = f"{many:,} trials, random"
    figures = [
        Figure(f"peak memory of the driver, {what}", f"{peak:.2f} GB", "", [peak], at_most(2),
               " GB"),
        Figure(f"wall clock by the trial, above one trial, {what}", duration([each]),
               f"{few:,} trials, {duration(of_few)}", [each / s for s in of_few], at_most(1.1)),
        Figure(f"wall clock, {what}", duration([whole]), "", [whole], unit=" s"),
    ]  # fmt: skip
    notes = [
        f"Trials of 5 epochs on 60 of {TINY_TABLE} rows, of the default space with 16 to 32 units. "
        "Everything is written: the ledger, a TensorBoard run for every trial, the tables.",
        f"The {many:,} are measured once, whatever --repeats says. The memory is VmHWM of the "
        "driver's own process, in GB of 10^9 bytes.",
    ]
    return Result(figures, {**taken, "many": [whole], "peak GB": [peak]}, notes)


def _table(scratch: str, rows: int) -> Path:
    table = Path(scratch) / f"made-{rows}.csv"
    write_csv(table, rows, INPUTS)
    return table


def _of_space(trial: Any) -> float:
    """A made-up loss over the default space, as OptunaSearch asks for it."""
    width = trial.suggest_int("width", 16, 128, log=True)
    values = (
        math.log(width) - 4,
        trial.suggest_int("depth", 1, 2) - 2,
        trial.suggest_float("dropout", 0.0, 0.5),
        math.log10(trial.suggest_float("lr", 3e-4, 5e-3, log=True)) + 2.5,
        math.log10(trial.suggest_float("weight_decay", 1e-4, 0.1, log=True)) + 3,
        1e-4 * trial.suggest_int("seed", 0, 9999),
    )
    choices = {"activation": 4, "batch_size": 2, "optimizer": 2, "schedule": 2}
    chosen = (trial.suggest_categorical(name, [*range(n)]) for name, n in choices.items())
    return sum(value * value for value in values) + 0.1 * sum(chosen)


def _busy_s(count: int) -> float:
    """Seconds in which each of some processes trains the same packs, all of them at once."""
    context = get_context("spawn")
    begin, taken = context.Barrier(count), context.Queue()
    processes = [context.Process(target=_busy, args=(begin, taken)) for _ in range(count)]
    for process in processes:
        process.start()
    slowest: float = max(taken.get(timeout=300) for _ in processes)
    for process in processes:
        process.join()
    return slowest


def _busy(begin: Any, taken: Any) -> None:
    """A process that trains, once all are ready; puts its seconds into a queue."""
    lesson = Lesson(INPUTS, 1)
    train = partial(trained, lesson.mlp, drawn(lesson, "random", LANES))
    train()
    begin.wait()
    taken.put(seconds(train))


ROWS = (
    Row(
        28,
        "table-search",
        f"`python -m xortune search {SPACE_NAME} --set epochs=20 --data made.csv "
        "--target y --trials 500 --quiet` against `python -m tests.benchmarks.stock_space_tune "
        "made.csv --trials 50`, Ray Tune with OptunaSearch and a plain PyTorch loop, extrapolated.",
        table_search,
    ),
    Row(
        29,
        "table-workers",
        f"`python -m xortune search {SPACE_NAME} --set epochs=10 --data made.csv "
        "--target y --trials 20000 --sampler random --runner ray --workers 2 --quiet` against the "
        "same with one worker.",
        table_workers,
    ),
    Row(
        30,
        "table-100000",
        f"`python -m xortune search {SPACE_NAME} --set epochs=5 --set width=16..32 --data made.csv "
        "--target y --trials 100000 --sampler random --quiet`, the memory that its process takes, "
        "and its time against that of 10,000 trials.",
        table_100000,
    ),
)
