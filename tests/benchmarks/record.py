"""The record of all benchmarks: results/benchmarks.json, and results/benchmarks.md made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from tests.benchmarks.core import ROOT, Figure, Goal, Plan, Result, Row
from tests.benchmarks.environment import environment

JSON = ROOT / "results" / "benchmarks.json"
MARKDOWN = ROOT / "results" / "benchmarks.md"

_INTRO = """\
# Benchmarks

How fast xortune is, against what a good user would have without it. Each ratio is of two things
measured in one run of the benchmark and in turn, A B A B A B, so that a machine that slows down
slows both; it is the median of the ratios of neighbours, with the smallest and the largest behind
it. "Ours" and "against" are medians, too. Commands are timed from outside, from their start to
their exit, imports and the start of Ray included. The baselines are in `tests/benchmarks/`, to be
read and run on their own: `lab_loop.py`, `stock_tune.py`, `optuna_alone.py`, `floor.py`,
`stock_step.c`, and the other files whose names begin with `stock`.

Rows 9, 17, 19 to 22 and 31 say what is found rather than how fast: shares and losses, with what
stands for the repeats there, such as study seeds. Searches that are timed have no confirmation
(`--confirm none`), as what they are compared with has none. Row 27 needs JAX:
`pip install -c constraints.txt -e '.[benchmarks]'`.

    python -m tests.benchmarks                # everything: two hours, on a machine at rest
    python -m tests.benchmarks engine-eager   # some rows, by name; the others stay as they are
    python -m tests.benchmarks --list
"""
_TABLE = """\
| # | benchmark | what | ours | against | median | spread | goal | |
|--:|---|---|--:|---|--:|--:|--:|---|"""


def cells(figure: Figure) -> tuple[str, ...]:
    """What, ours, against, median, spread, goal and verdict, in words."""
    unit = figure.unit
    spread = "once"
    if len(figure.values) > 1:
        spread = f"{number(min(figure.values))} to {number(max(figure.values))}"
    goal = ""
    if figure.goal is not None:
        signs = "><" if figure.goal.strict else "≥≤"
        sign = signs[0] if figure.goal.at_least else signs[1]
        goal = f"{sign} {number(figure.goal.bound)}{unit}"
    median = f"{number(figure.median)}{unit}"
    return (figure.what, figure.ours, figure.against, median, spread, goal, figure.verdict)


def number(value: float) -> str:
    """Three digits, and no more of them than there are before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def recorded() -> dict[str, Any]:
    """The rows measured so far, by name."""
    return json.loads(JSON.read_text()) if JSON.exists() else {}


def record(row: Row, plan: Plan, result: Result, took: float) -> None:
    """Puts a row's result in place of its former one, and writes both files."""
    entry = {
        "date": date.today().isoformat(),
        "repeats": plan.repeats,
        "took_s": round(took, 1),
        "environment": environment(),
        **asdict(result),
    }
    entries = {**recorded(), row.name: entry}
    JSON.write_text(json.dumps(entries, indent=1) + "\n")


def write_markdown(rows: Sequence[Row]) -> None:
    """Writes the record as a page, with the rows in their order."""
    entries = recorded()
    machines: list[Mapping[str, str]] = []
    for row in rows:
        if row.name in entries and entries[row.name]["environment"] not in machines:
            machines.append(entries[row.name]["environment"])
    lines = [_INTRO, _TABLE]
    for row in rows:
        lines += _table_lines(row, entries.get(row.name))
    lines += ["", "## Row by row", ""]
    for row in rows:
        lines += _section(row, entries.get(row.name), machines)
    lines += ["## Machine and versions", "", *_machine_lines(machines)]
    MARKDOWN.write_text("\n".join(lines).rstrip() + "\n")


def _table_lines(row: Row, entry: Mapping[str, Any] | None) -> list[str]:
    if entry is None:
        return [f"| {row.number} | {row.name} | | | | | | | not measured yet |"]
    lines = []
    for place, figure in enumerate(entry["figures"]):
        head = (str(row.number), row.name) if place == 0 else ("", "")
        what, ours, against, median, spread, goal, verdict = cells(_figure(figure))
        verdict = f"**{verdict}**" if verdict == "not reached" else verdict
        tail = (what, ours, against, f"**{median}**", spread, goal, verdict)
        lines.append(f"| {' | '.join((*head, *tail))} |")
    return lines


def _section(
    row: Row, entry: Mapping[str, Any] | None, machines: Sequence[Mapping[str, str]]
) -> list[str]:
    lines = [f"### {row.number} {row.name}", "", row.about, ""]
    if entry is None:
        return [*lines, f"    python -m tests.benchmarks {row.name}", ""]
    took = f" in {entry['took_s']:.0f} s" if entry["took_s"] >= 1 else ""
    where = f", on machine {machines.index(entry['environment']) + 1}" if len(machines) > 1 else ""
    repeats = f" --repeats {entry['repeats']}" if entry["repeats"] != Plan().repeats else ""
    notes = [f"- {note}" for note in entry["notes"]]
    return [
        *lines,
        f"    python -m tests.benchmarks {row.name}{repeats}",
        "",
        f"Measured on {entry['date']}{took}{where}.",
        "",
        *notes,
        *([""] if notes else []),
    ]


def _machine_lines(machines: Sequence[Mapping[str, str]]) -> list[str]:
    """A table with a column for every machine, or for every set of versions."""
    names = list(dict.fromkeys(name for machine in machines for name in machine))
    columns = range(1, len(machines) + 1) if len(machines) > 1 else [""] * len(machines)
    lines = [f"| | {' | '.join(map(str, columns))} |", f"|---|{'---|' * len(machines)}"]
    for name in names:
        lines.append(f"| {name} | {' | '.join(machine.get(name, '') for machine in machines)} |")
    return lines


def _figure(values: Mapping[str, Any]) -> Figure:
    goal = values["goal"]
    return Figure(**{**values, "goal": None if goal is None else Goal(**goal)})
