"""A study on a terminal: a summary, and a table that fits 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from xortune.report import plain_rows

if TYPE_CHECKING:
    import pandas as pd

_MISSING = "-"
# The parts of `Study.summary`'s time, in words that leave a line short enough.
_TIMES = {
    "start": "start_up",
    "ask": "sampler",
    "train": "training",
    "queue": "queue",
    "write": "writing",
    "idle": "idle",
}


def summary_lines(name: str, summary: Mapping[str, Any], total: int) -> list[str]:
    """A few lines on a study, from its `Study.summary` and its total of trials."""
    states = ", ".join(f"{count} {state}" for state, count in summary["states"].items())
    trials = f"{summary['trials']} of {total}" if summary["trials"] < total else f"{total}"
    lines = [f"study {name}: {trials} trials ({states or 'none yet'})"]
    complete = summary["states"].get("COMPLETE", 0)
    if complete:
        share = summary["solved"] / complete
        lines.append(f"solved: {summary['solved']} of {complete} complete trials ({share:.0%})")
        lines += [
            f"best with {loss_fn}: {found['final_loss']:.3g} (trial {found['number']})"
            for loss_fn, found in summary["best"].items()
        ]
    if summary["time"]:
        lines.append(_time_line(summary["time"]))
    return lines


def _time_line(seconds: Mapping[str, float]) -> str:
    parts = ", ".join(f"{word} {_duration(seconds[name])}" for word, name in _TIMES.items())
    return f"time {_duration(seconds['wall'])}: {parts}"


def _duration(seconds: float) -> str:
    """In four characters, up to 41 days."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 999.5:
        return f"{seconds:.0f}s"
    minutes = seconds / 60
    return f"{minutes:.0f}m" if minutes < 999.5 else f"{minutes / 60:.0f}h"


def trials_table(frame: pd.DataFrame) -> Table:
    """The rows of a ranked frame, with the columns that a person looks at first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    for name in ("rank", "trial", "lr", "epochs", "seed"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("loss_fn", no_wrap=True)
    table.add_column("final_loss", justify="right", no_wrap=True)
    table.add_column("accuracy", justify="right", no_wrap=True)
    for row in plain_rows(frame):
        table.add_row(
            _text(row["rank"], "d"),
            str(row["number"]),
            _text(row["lr"], ".4g"),
            str(row["epochs"]),
            str(row["seed"]),
            row["loss_fn"],
            _text(row["final_loss"], ".3e") if row["rank"] else row["state"],
            _text(row["accuracy"], ".0%"),
        )
    return table


def _text(value: float | int | None, spec: str) -> str:
    return _MISSING if value is None else format(value, spec)
