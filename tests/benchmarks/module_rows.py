"""Modules of a user's own: whole searches against stock Tune, and the way to a first result."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import tempfile
import time
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
    at_least,
    at_most,
    duration,
    interleaved,
    ratios,
)
from tests.benchmarks.problem_rows import StockTune, tpe_seconds
from tests.benchmarks.processes import REST_S, search, warm_up
from tests.benchmarks.search_rows import extrapolated, extrapolation_notes

MOONS = ("--problem", str(ROOT / "search_spaces" / "moons.py"))


def moons(plan: Plan) -> Result:
    warm_up()
    count, few = plan.size(200), max(plan.size(20), 2 * CPUS)
    stock = StockTune("tests.benchmarks.stock_moons_tune", "--trials", str(few))
    with tempfile.TemporaryDirectory() as scratch:
        actions: dict[str, Action] = {
            "ours": search(scratch, count, *MOONS, "--sampler", "random", "--confirm", "none"),
            "stock, few": stock,
        }
        taken = interleaved(plan.repeats, actions, rest=REST_S)
    taken["stock, first"] = stock.first(taken["stock, few"])
    tpe = {trials: tpe_seconds(_of_moons, trials) for trials in (few, count)}
    stock_s = extrapolated(taken["stock, first"], taken["stock, few"], tpe, CPUS)
    figure = Figure(
        f"wall clock, {count} trials of 50 epochs, three widths, random",
        duration(taken["ours"]),
        f"stock Tune, {duration(stock_s)} (extrapolated)",
        ratios(stock_s, taken["ours"]),
        at_least(15),
    )
    notes = [
        "Both train on 200 rows and measure the loss on 200 others after every epoch. Stock Tune "
        "measures and writes nothing else for a trial.",
        *extrapolation_notes(taken["stock, first"], taken["stock, few"], tpe, CPUS),
    ]
    return Result([figure], {**taken, "stock": stock_s, "stock TPE": list(tpe.values())}, notes)


def first_result(plan: Plan) -> Result:
    warm_up()
    with tempfile.TemporaryDirectory() as scratch:
        taken = [_seconds_to_first(Path(scratch) / str(turn)) for turn in range(plan.repeats)]
    figure = Figure(
        "from the start of the command to the first result, 200 trials, TPE",
        duration(taken), "", taken, at_most(6), unit=" s",
    )  # fmt: skip
    notes = ["PyTorch's import, a look at the module and the first generation are in it."]
    return Result([figure], {"ours": taken}, notes)


def _seconds_to_first(results: Path) -> float:
    """Seconds until a search says that trials are finished; it is then ended."""
    words = [sys.executable, "-m", "xortune", "search", *MOONS, "--trials", "200"]
    started = time.perf_counter()
    with subprocess.Popen(
        [*words, "--results", str(results)], stderr=subprocess.PIPE, text=True, cwd=ROOT,
        stdout=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            if re.match(r"[1-9]\d*/200 trials", line):
                took = time.perf_counter() - started
                process.terminate()
                return took
    raise RuntimeError("the search ended without a result")


def _of_moons(trial: Any) -> float:
    """A made-up loss, whose lowest lies at a learning rate of 0.01."""
    lr = trial.suggest_float("lr", 0.001, 0.1, log=True)
    width = trial.suggest_categorical("width", [8, 16, 32])
    return float((math.log10(lr) + 2) ** 2 + 1 / width)


ROWS = (
    Row(
        40,
        "moons-200",
        "`python -m xortune search --problem search_spaces/moons.py --trials 200 --sampler random "
        "--confirm none --quiet` against `python -m tests.benchmarks.stock_moons_tune --trials "
        "20`, Ray Tune with OptunaSearch and a plain PyTorch loop, extrapolated.",
        moons,
    ),
    Row(
        41,
        "moons-first",
        "`python -m xortune search --problem search_spaces/moons.py --trials 200`, until its line "
        "of progress says that trials are finished.",
        first_result,
    ),
)
