"""Start-up: what a user waits for before a command does anything."""

from __future__ import annotations

import tempfile

from tests.benchmarks.core import (
    Action,
    Figure,
    Plan,
    Result,
    Row,
    at_most,
    duration,
    interleaved,
    ratios,
)
from tests.benchmarks.processes import module, run

# These take a fraction of a second, so more of them make the median steady.
TIMES = 5


def start_up(plan: Plan) -> Result:
    trials = plan.size(1000)
    with tempfile.TemporaryDirectory() as scratch:
        options = ("--sampler", "random", "--runner", "inline", "--quiet")
        run("-m", "xortune", "search", "--trials", str(trials), *options,
            "--name", "study", "--results", scratch)  # fmt: skip
        actions: dict[str, Action] = {
            "help": module("xortune", "--help"),
            "pass": lambda: run("-c", "pass"),
            "report": module("xortune", "report", f"{scratch}/study"),
            "pandas": lambda: run("-c", "import pandas"),
        }
        taken = interleaved(plan.repeats * TIMES, actions, warm_up=True)
    figures = [
        Figure(
            "`python -m xortune --help`",
            duration(taken["help"]),
            f"`python -c pass`, {duration(taken['pass'])}",
            ratios(taken["help"], taken["pass"]),
            at_most(8),
        ),
        Figure(
            f"`python -m xortune report STUDY`, {trials:,} trials",
            duration(taken["report"]),
            f"`python -c 'import pandas'`, {duration(taken['pandas'])}",
            ratios(taken["report"], taken["pandas"]),
            at_most(2.5),
        ),
    ]
    notes = [f"Each was run {plan.repeats * TIMES} times."]
    return Result(figures, taken, notes)


ROWS = (
    Row(
        12,
        "start-up",
        "Commands that only read, against what Python itself and the import of pandas take.",
        start_up,
    ),
)
