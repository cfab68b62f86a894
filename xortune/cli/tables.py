"""A study on a terminal: a summary, and a table that fits 80 columns, or a narrower terminal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from xortune.cli.columns import (
    WIDTH,
    Column,
    Row,
    fitting,
    fitting_table,
    metric_column,
    parameter_column,
    table_of,
    text_of,
    width_of,
)
from xortune.errors import without_values
from xortune.report import plain_rows
from xortune.report.numerals import FINAL_LOSS, duration, shown_metrics
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS, STD, ProblemSpec

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

# A trainer's own number, which says little beside metrics that somebody has asked for.
_TRAIN_LOSS = "train_loss"
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
    plural = "trial" if total == 1 else "trials"
    trials = f"{done} of {total} {plural} finished" if done < total else f"{total} {plural}"
    lines = [f"study {name}: {trials} ({states or 'none yet'})"]
    if stopped := summary.get("stopped"):
        lines.append(_stopped(stopped, total))
    if outdated := summary.get("outdated"):
        lines.append(f"without a rank: {outdated} trained by an earlier version of the code")
    if weakened := summary.get("weakened"):
        lines.append(f"bits: {weakened}")
    lines += _failed(summary.get("failures", {}))
    complete = summary["states"].get("COMPLETE", 0)
    if complete and "solved" in summary:
        share, solved = summary["solved"] / complete, summary["solved"]
        seeds = f" on all {summary['replicates']} seeds" if "replicates" in summary else ""
        lines.append(f"solved{seeds}: {solved} of {complete} complete trials ({share:.0%})")
    best = summary.get("best", {})
    if len(best) > 1:  # Otherwise there is nothing to compare.
        lines += [
            f"best with {choice}: {[*found.values()][-1]:.3g} (trial {found['number']})"
            for choice, found in best.items()
        ]
    if test := summary.get("test"):
        lines += score_lines(f"best trial {test['number']}", test)
    if seconds := summary["time"]:
        parts = ", ".join(f"{word} {duration(seconds[name])}" for word, name in _TIMES.items())
        lines.append(f"time {duration(seconds['wall'])}: {parts}")
    return lines


def _failed(failures: Mapping[str, int]) -> list[str]:
    """The most frequent errors, each by its first one."""
    lines = [f"failed: {count} x {_cut(error)}" for error, count in failures.items()]
    if any(count > 1 and without_values(error) != error for error, count in failures.items()):
        lines.append("  (errors that differ in their numbers alone count as one)")
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
        rows.append((word, *(text_of(scores[name], ".4g") for name in test["scores"])))
    widths = [max(map(len, column)) for column in zip(*rows)]
    first, *others = widths
    return [
        "  ".join([row[0].ljust(first), *(c.rjust(w) for c, w in zip(row[1:], others))])
        for row in rows
    ]


def _cut(text: str) -> str:
    """A text of at most a line."""
    line = " ".join(text.split())
    return line if len(line) <= WIDTH - 20 else f"{line[: WIDTH - 23]}..."


def trials_table(
    frame: pd.DataFrame,
    spec: ProblemSpec,
    width: int = WIDTH,
    searched: Collection[str] = frozenset(),
) -> Table:
    """The rows of a ranked frame with the most important columns.

    Where not everything fits, rank, trial and objective stand in a table of any width; then come
    the final loss and one share, as many columns as fit of those that differ between the rows,
    and last what has one value in all of them, first what was searched. A line below names what
    a wider table would show.

    Args:
        frame: the rows.
        spec: the study's.
        width: in characters.
        searched: the parameters that differ between trials, of which rows may show one value.
    """
    rows = plain_rows(frame)
    before = [
        Column("rank", [text_of(row["rank"], "d") for row in rows]),
        Column("trial", [str(row["number"]) for row in rows]),
    ]
    after = (
        [Column("final_loss", _with_states(rows, "final_loss", FINAL_LOSS))] if spec.loss else []
    )
    params = [parameter_column(parameter, rows) for parameter in spec.parameters]
    columns = [*params, *after, *_measured(spec, rows)]
    room = width - 1 - width_of(before)
    shown = fitting(columns, room, partial(_rank, spec, searched))
    hidden = [column.name for column in columns if column not in shown]
    return table_of([*before, *shown], hidden, width)


def searched_parameters(frame: pd.DataFrame, spec: ProblemSpec) -> frozenset[str]:
    """The parameters that differ between trials."""
    return frozenset(name for name in spec.names if frame[name].nunique(dropna=False) > 1)


def _rank(spec: ProblemSpec, searched: Collection[str], column: Column) -> int:
    """How soon a column is shown; 0 for the first."""
    name = column.name
    share = next((metric.name for metric in shown_metrics(spec, 1) if metric.kind == "share"), "")
    first = (_objective(spec), "final_loss", STD, share)
    if name in first:
        return first.index(name)
    kinds = (
        name in spec.names and _differs(column),
        name != _TRAIN_LOSS and _differs(column),
        name in searched,
        _differs(column),
        name not in spec.names,
    )
    return len(first) + (kinds.index(True) if any(kinds) else len(kinds))


def _differs(column: Column) -> bool:
    """Whether it has several values; of metrics, in trials that have any."""
    return len({*column.cells}) > 1


def _objective(spec: ProblemSpec) -> str:
    """The name of its column."""
    name = spec.objectives[0].metric
    return "final_loss" if name == spec.loss else name


def replicates_table(frame: pd.DataFrame, spec: ProblemSpec, width: int = WIDTH) -> Table:
    """The trainings of a trial: their seeds, states and as many metrics as fit.

    First the objective, then shares.
    """
    rows = plain_rows(frame)
    texts = {"replicate": "d", "part": "", "seed": "d", "fold": "d", "state": ""}
    head = [
        Column(name, [text_of(row[name], form) for row in rows], "right" if form else "left")
        for name, form in texts.items()
        if any(row[name] is not None for row in rows)
    ]
    objective = spec.objectives[0].metric
    metrics = sorted(spec.measured, key=lambda m: (m.name != objective, m.kind != "share"))
    columns = [*head, *(metric_column(metric, rows) for metric in metrics)]
    return fitting_table(columns, width, ("replicate", objective))


def _with_states(rows: Sequence[Row], name: str, form: str) -> list[str]:
    """The values of a column; of trials without a rank their state, and where they were pruned."""
    return [text_of(row[name], form) if row["rank"] else state_of(row) for row in rows]


def state_of(row: Row) -> str:
    """A trial's state; of a pruned one the epoch of its rung, and its objective there."""
    loss = row.get(PRUNED_LOSS)
    if loss is None or row["state"] != "PRUNED":
        return str(row["state"])
    return f"pruned at {row[PRUNED_EPOCH]}: {loss:.2g}"


def _measured(spec: ProblemSpec, rows: Sequence[Row]) -> list[Column]:
    """The columns of the metrics to show; see `shown_metrics`."""
    columns = [metric_column(metric, rows) for metric in shown_metrics(spec)]
    if spec.loss is None:
        # No final loss has the state, so the objective has it.
        columns[0] = Column(columns[0].name, _with_states(rows, columns[0].name, ".5g"))
    return columns
