"""A study on a terminal: a summary, and a table that fits 80 columns."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from rich import box
from rich.cells import cell_len
from rich.table import Table

from xortune.escaping import visible
from xortune.report import plain_rows
from xortune.report.numerals import (
    FINAL_LOSS,
    duration,
    metric_format,
    parameter_format,
    shown_metrics,
)
from xortune.spec import Metric, Parameter, ProblemSpec
from xortune.trial import Value

if TYPE_CHECKING:
    import pandas as pd

_MISSING = "-"
_WIDTH = 80
# Short words for the parts of the time in `Study.summary`.
_TIMES = {
    "start": "start_up", "ask": "sampler", "train": "training",
    "queue": "queue", "write": "writing", "idle": "idle",
}  # fmt: skip


def summary_lines(name: str, summary: Mapping[str, Any], total: int) -> list[str]:
    """The lines above the table, from `Study.summary` and the study's total of trials."""
    states = ", ".join(f"{count} {state}" for state, count in summary["states"].items())
    open_ones = sum(summary["states"].get(state, 0) for state in ("WAITING", "RUNNING"))
    done = summary["trials"] - open_ones
    trials = f"{done} of {total} trials finished" if done < total else f"{total} trials"
    lines = [f"study {name}: {trials} ({states or 'none yet'})"]
    if stopped := summary.get("stopped"):
        lines.append(_stopped(stopped, total))
    if outdated := summary.get("outdated"):
        lines.append(f"without a rank: {outdated} trained by an earlier version of the function")
    lines += [
        f"failed: {count} x {_cut(error)}" for error, count in summary.get("failures", {}).items()
    ]
    complete = summary["states"].get("COMPLETE", 0)
    if complete and "solved" in summary:
        share, solved = summary["solved"] / complete, summary["solved"]
        seeds = f" on all {summary['replicates']} seeds" if "replicates" in summary else ""
        lines.append(f"solved{seeds}: {solved} of {complete} complete trials ({share:.0%})")
    lines += [
        f"best with {choice}: {[*found.values()][-1]:.3g} (trial {found['number']})"
        for choice, found in summary.get("best", {}).items()
    ]
    if test := summary.get("test"):
        lines += score_lines(f"best trial {test['number']}", test)
    if seconds := summary["time"]:
        parts = ", ".join(f"{word} {duration(seconds[name])}" for word, name in _TIMES.items())
        lines.append(f"time {duration(seconds['wall'])}: {parts}")
    return lines


def _stopped(stopped: Mapping[str, Any], total: int) -> str:
    """Why a search ended before its last trial."""
    line = f"stopped after {stopped['after']} of {total} trials: {stopped['reason']}"
    if stopped["by"] != "timeout":
        return line
    return f"{line}. Another run may stop elsewhere; a resume continues"


def score_lines(head: str, test: Mapping[str, Any]) -> list[str]:
    """A trial's metrics on validation rows, and on rows that the search has never seen."""
    rows = [(head, *test["scores"])]
    for word, scores in (("  validation", test["validation"]), ("  test", test["scores"])):
        rows.append((word, *(_text(scores[name], ".4g") for name in test["scores"])))
    widths = [max(map(len, column)) for column in zip(*rows)]
    first, *others = widths
    return [
        "  ".join([row[0].ljust(first), *(c.rjust(w) for c, w in zip(row[1:], others))])
        for row in rows
    ]


def _cut(text: str) -> str:
    """A text of at most a line."""
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH - 20 else f"{line[: _WIDTH - 23]}..."


def trials_table(frame: pd.DataFrame, spec: ProblemSpec) -> Table:
    """The rows of a ranked frame with the most important columns.

    Where not everything fits, it has the objective, one share, and as many parameters as fit,
    first those that differ between the rows; a line below names the others.
    """
    rows = plain_rows(frame)
    before = [
        _Column("rank", [_text(row["rank"], "d") for row in rows]),
        _Column("trial", [str(row["number"]) for row in rows]),
    ]
    losses = [_text(row["final_loss"], FINAL_LOSS) if row["rank"] else row["state"] for row in rows]
    after = [_Column("final_loss", losses)] if spec.loss else []
    params = [_parameter_column(parameter, rows) for parameter in spec.parameters]
    measured = [_metric_column(metric, rows) for metric in shown_metrics(spec)]
    shown = _fitting(params, _WIDTH - 1 - _width(before + after + measured))
    if len(shown) < len(params):
        few = int(any(metric.kind == "share" for metric in spec.metrics))
        measured = [_metric_column(metric, rows) for metric in shown_metrics(spec, few)]
        shown = _fitting(params, _WIDTH - 1 - _width(before + after + measured))
    hidden = [column.name for column in params if column not in shown]
    return _table([*before, *shown, *after, *measured], hidden)


def replicates_table(frame: pd.DataFrame, spec: ProblemSpec) -> Table:
    """The trainings of a trial: their seeds, states and as many metrics as fit.

    First the objective, then shares.
    """
    rows = plain_rows(frame)
    texts = {"replicate": "d", "part": "", "seed": "d", "fold": "d", "state": ""}
    head = [
        _Column(name, [_text(row[name], form) for row in rows], "right" if form else "left")
        for name, form in texts.items()
        if any(row[name] is not None for row in rows)
    ]
    objective = spec.objectives[0].metric
    metrics = sorted(spec.measured, key=lambda m: (m.name != objective, m.kind != "share"))
    columns = [_metric_column(metric, rows) for metric in metrics]
    room = _WIDTH - 1 - _width(head)
    fitting = bisect_right(list(accumulate(column.width for column in columns)), room)
    hidden = [column.name for column in columns[fitting:]]
    return _table([*head, *columns[:fitting]], hidden)


def _fitting(columns: Sequence[_Column], room: int) -> list[_Column]:
    """The columns to show, in their order: as many as fit, those whose cells differ first."""
    preferred = sorted(columns, key=lambda column: len({*column.cells}) == 1)
    fitting = bisect_right(list(accumulate(column.width for column in preferred)), room)
    return [column for column in columns if column in preferred[:fitting]]


def _width(columns: Iterable[_Column]) -> int:
    return sum(column.width for column in columns)


@dataclass(frozen=True, eq=False)
class _Column:
    """A column of a printed table: its name, and the text of every row."""

    name: str
    cells: Sequence[str]
    justify: Literal["left", "right"] = "right"

    @cached_property
    def width(self) -> int:
        """Its width in characters, with the space that follows it."""
        return 1 + max(map(cell_len, (self.name, *self.cells)))


def _metric_column(metric: Metric, rows: Sequence[Mapping[str, Any]]) -> _Column:
    digits = metric_format(metric)
    return _Column(metric.name, [_text(row[metric.name], digits) for row in rows])


def _parameter_column(parameter: Parameter, rows: Sequence[Mapping[str, Any]]) -> _Column:
    values = [row[parameter.name] for row in rows]
    digits = parameter_format(parameter)
    if not digits:
        return _Column(parameter.name, [visible(_text(value, "")) for value in values], "left")
    return _Column(parameter.name, [_text(value, digits) for value in values])


def _table(columns: Sequence[_Column], hidden: Sequence[str]) -> Table:
    caption = f"left out to fit {_WIDTH} characters: {', '.join(hidden)}" if hidden else None
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=0, caption=caption, caption_justify="left"
    )
    for column in columns:
        table.add_column(column.name, justify=column.justify, no_wrap=True)
    for cells in zip(*(column.cells for column in columns)):
        table.add_row(*cells)
    return table


def _text(value: Value | None, spec: str) -> str:
    return _MISSING if value is None else format(value, spec)
