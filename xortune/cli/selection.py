"""What the options of `report` choose: trials, their order, columns and groups."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from xortune.cli.columns import (
    Column,
    fitting_table,
    metric_text,
    print_table,
    text_of,
    width_on,
)
from xortune.cli.results import SHOWN
from xortune.cli.screen import console_on
from xortune.cli.sparklines import CURVE, Lines, lines_of
from xortune.cli.tables import searched_parameters, summary_lines, trials_table
from xortune.errors import UsageError
from xortune.escaping import visible
from xortune.report import column_names, grouped, plain_rows, sort, where
from xortune.report.numerals import percent
from xortune.settings import StudySettings
from xortune.spec import ProblemSpec

if TYPE_CHECKING:
    from pandas import DataFrame

    from xortune.studies.study import Study

_LONGEST = 40  # characters of a text
T = TypeVar("T")


class Selection(NamedTuple):
    """What is asked for, and what was found."""

    trials: DataFrame  # all of the study, ranked
    rows: DataFrame  # trials or groups, with all their columns
    names: list[str] | None  # the columns that are asked for; None for the usual ones
    matching: int  # trials
    by: list[str]  # the columns by which they are grouped
    lines: Lines | None = None  # the curves, if they are asked for

    @property
    def shown(self) -> DataFrame:
        """The rows with the columns that are asked for."""
        rows = self.rows if self.lines is None else self.rows.assign(**{CURVE: self.lines.cells})
        return rows if self.names is None else rows[self.names]


def selection(study: Study, arguments: Namespace, *, plain: bool) -> Selection:
    """What the options ask for; `plain` writes curves in ASCII.

    Raises:
        UsageError: lists the faults of all options.
    """
    asked, trials, faults = arguments, study.trials, [""]

    def attempt(call: Callable[[], T], otherwise: T) -> T:
        try:
            return call()
        except UsageError as error:
            faults.append(str(error))
            return otherwise

    rows, by = trials, list[str]()
    if asked.where is not None:
        rows = attempt(lambda: where(trials, asked.where), rows)
    matching = len(rows)
    if asked.by is not None:
        by = attempt(lambda: column_names(trials, asked.by, "by"), by)
        rows = grouped(rows, study.space, by) if by else rows
    if asked.sort is not None:
        rows = attempt(lambda: sort(rows, asked.sort), rows)
    names = None
    if asked.columns is not None:
        known = rows if by or CURVE in rows else rows.assign(**{CURVE: ""})
        names = attempt(lambda: column_names(known, asked.columns, "columns"), names)
    if len(faults) > 1:
        raise UsageError("\n".join(faults[1:]))
    most = SHOWN if asked.format == "table" and not by else len(rows)
    found = Selection(trials, rows.head(asked.top or most), names, matching, by)
    if not by and CURVE in (names or ()) and CURVE not in rows:
        numbers = [int(number) for number in found.rows["number"]]
        found = found._replace(lines=lines_of(study, numbers, plain=plain))
    return found


def print_selection(study: Study, found: Selection, arguments: Namespace, file: Any) -> None:
    """Prints a table that fits its width, with a line on what is in it."""
    console, spec = console_on(file), study.settings.spec
    width = width_on(console)
    summary = study.summary_of(found.trials)
    first = summary_lines(study.name, summary, study.settings.trials)[0]
    for line in (first, *_words(found, arguments, study.settings)):
        console.print(visible(line), soft_wrap=True)
    if not len(found.rows):
        return
    if found.names is None and not found.by:
        table = trials_table(found.rows, spec, width, searched_parameters(found.trials, spec))
    elif found.names is None:
        important = (*found.by, f"median {spec.objectives[0].metric}")
        table = fitting_table(_group_columns(found, spec), width, important)
    else:
        # The order is the user's own, and so is the importance.
        table = fitting_table(_chosen_columns(found, spec), width)
    print_table(console, table)
    if found.lines is not None and found.lines.words:
        console.print(visible(found.lines.words), soft_wrap=True)


def _words(found: Selection, arguments: Namespace, settings: StudySettings) -> list[str]:
    lines, spec = [], settings.spec
    if arguments.where is not None:
        lines.append(f"{found.matching} of {len(found.trials)} trials match")
    objective = spec.objectives[0].metric
    order = f"by the median of {objective}, the best first"
    if arguments.sort is not None:
        order = f"by {arguments.sort}"
    if found.by:
        lines.append(f"groups by {', '.join(found.by)}; ordered {order}")
        if spec.solved is not None and found.names is None:
            seeds = f" on all {settings.replicates} seeds" if settings.replicates > 1 else ""
            lines.append(f"solved{seeds}: the share of complete trials, with its interval at 95%")
    elif arguments.sort is not None:
        lines.append(f"ordered {order}")
    return lines


def _group_columns(found: Selection, spec: ProblemSpec) -> list[Column]:
    """The columns of a group: its counts in one, and a share and its interval in another."""
    rows = plain_rows(found.rows)
    objective = spec.metric(spec.objectives[0].metric)

    def value(row: dict[str, Any], name: str) -> Any:
        return row[f"group_{name}" if name in found.by else name]

    def numbers(name: str) -> Column:
        heading = f"{name} {objective.name}" if name == "median" else name
        cells = [_number_text(objective.kind, value(row, name)) for row in rows]
        return Column(heading, cells)

    complete = [f"{value(row, 'complete')} of {value(row, 'trials')}" for row in rows]
    columns = [_column(name, rows, spec) for name in found.by]
    columns.append(Column("complete", complete))
    if spec.solved is not None:
        shares = [[value(row, f"solved_{end}") for end in ("share", "low", "high")] for row in rows]
        columns.append(Column("solved", [_interval(*ends) for ends in shares]))
    columns += [numbers("median")] + ([numbers("mean")] if spec.solved is None else [])
    trials = [text_of(value(row, "best_trial"), "d") for row in rows]
    return [*columns, numbers("best"), Column("trial", trials)]


def _interval(share: float | None, low: float, high: float) -> str:
    return "-" if share is None else f"{percent(share)} ({percent(low)} to {percent(high)})"


def _number_text(kind: str, value: float | None) -> str:
    return text_of(value, ".1%" if kind == "share" else ".3g")


def _chosen_columns(found: Selection, spec: ProblemSpec) -> list[Column]:
    rows = plain_rows(found.rows)
    return [
        found.lines.column
        if name == CURVE and found.lines is not None
        else _column(name, rows, spec)
        for name in found.names or ()
    ]


def _column(name: str, rows: list[dict[str, Any]], spec: ProblemSpec) -> Column:
    """A column of any kind, by its values."""
    values = [row.get(name) for row in rows]
    known = [value for value in values if value is not None]
    if any(isinstance(value, str | bool) for value in known):
        return Column(name, [_short(value) for value in values], "left")
    if name in spec.metric_names and name not in spec.names:
        return Column(name, [metric_text(spec.metric(name), value) for value in values])
    form = ".3e" if name == "final_loss" else ".4g"
    return Column(name, [text_of(v, "d" if isinstance(v, int) else form) for v in values])


def _short(value: Any) -> str:
    text = visible(text_of(value, ""))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
