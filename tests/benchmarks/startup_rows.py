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
from tests.benchmarks.processes import REST_S, module, run

FLOOR = module("tests.benchmarks.floor")
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
        reading: dict[str, Action] = {
            "report beside the floor": actions["report"],
            "predict": module("xortune", "predict", f"{scratch}/study", "0", "1"),
            "floor": FLOOR,
        }
        taken |= interleaved(plan.repeats, reading, rest=REST_S, warm_up=True)
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
    figures += [
        Figure(
            f"`python -m xortune {words}`, {trials:,} trials",
            duration(taken[name]),
            f"the floor, {duration(taken['floor'])}",
            ratios(taken[name], taken["floor"]),
            at_most(0.08),
        )
        for name, words in (
            ("report beside the floor", "report STUDY"),
            ("predict", "predict STUDY 0 1"),
        )
    ]
    notes = [
        f"Each was run {plan.repeats * TIMES} times; beside the floor, as often as the floor.",
    ]
    return Result(figures, taken, notes)


ROWS = (
    Row(
        12,
        "start-up",
        "Commands that only read, against Python itself, the import of pandas, and the floor.",
        start_up,
    ),
)
