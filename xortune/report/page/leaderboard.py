"""The table of all trials: its columns, their formats, and the rows as a page holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from xortune.escaping import visible
from xortune.report.formats import plain_rows
from xortune.report.frame import columns as column_names
from xortune.report.numerals import (
    FINAL_LOSS,
    metric_format,
    parameter_format,
    shown_metrics,
)
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS, STD, ProblemSpec

FIRST_ROWS = 50  # those of a page of the table, and those that need no JavaScript
_FORMATS = {
    "rank": "d", "number": "d", "state": "", "final_loss": FINAL_LOSS, "solved": "",
    "duration_s": ".3g", "generation": "d", "worker": "", "error": "",
}  # fmt: skip
_LABELS = {"number": "trial"}
_MISSING = "-"
_EXACT = 2**53  # Beyond, a whole number of JavaScript's is no longer exact.


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        name: as in the frame.
        label: its heading.
        form: the format specification of its numbers; empty for texts.
        values: of each row: an int, a float or a text that may be shown; None where missing.
        is_shown: whether the table has it until others are chosen.
        falls: whether the best values are the highest.
    """

    name: str
    label: str
    form: str
    values: Sequence[Any]
    is_shown: bool
    falls: bool = False

    def cell(self, row: int) -> str:
        """The text of a row."""
        value = self.values[row]
        return _MISSING if value is None else format(value, self.form)

    def packed(self) -> dict[str, Any]:
        """The column for the page's script, with every text once."""
        head = {"name": self.name, "label": self.label, "form": self.form, "falls": self.falls}
        if self.form:
            large = any(type(value) is int and abs(value) > _EXACT for value in self.values)
            values = [None if v is None else str(v) for v in self.values] if large else self.values
            return {**head, "values": values}
        texts = sorted({value for value in self.values if value is not None})
        places = {text: place for place, text in enumerate(texts)}
        return {**head, "texts": texts, "values": [places.get(value) for value in self.values]}


def leaderboard(spec: ProblemSpec, trials: pd.DataFrame) -> list[Column]:
    """The columns of a ranked frame.

    Results stand before parameters. Shown at first are those that a terminal shows, without
    parameters that are always the same, and the state where some trial is not complete.
    """
    shown = {"rank", "number", *_varied(spec, trials)}
    shown |= {metric.name for metric in shown_metrics(spec)}
    shown |= {"final_loss"} if spec.loss else set()
    shown |= {PRUNED_EPOCH, PRUNED_LOSS}
    shown |= {"state"} if set(trials["state"]) - {"COMPLETE"} else set()
    forms = _formats(spec)
    by_name = _plain_columns(trials)
    best = _falling(spec)
    return [
        Column(
            name,
            _LABELS.get(name, name),
            forms[name],
            by_name[name] if forms[name] else _texts(name, by_name[name]),
            name in shown,
            name in best,
        )
        for name in _ordered(spec)
        if name in by_name
    ]


def _ordered(spec: ProblemSpec) -> list[str]:
    """The names of the columns: first what a trial came to, then what was tried."""
    names = column_names(spec)
    head, tail = names[:3], ("duration_s", "generation", "worker", "error")
    measured = [name for name in names if name not in (*head, *spec.names, *tail)]
    return [*head, *measured, *spec.names, *tail]


def _varied(spec: ProblemSpec, trials: pd.DataFrame) -> list[str]:
    """The parameters that have several values."""
    few = len(trials) < 2
    return [name for name in spec.names if few or trials[name].nunique(dropna=False) > 1]


def _formats(spec: ProblemSpec) -> dict[str, str]:
    forms = {parameter.name: parameter_format(parameter) for parameter in spec.parameters}
    forms |= {metric.name: metric_format(metric) for metric in spec.metrics}
    return {**forms, **_FORMATS}


def _falling(spec: ProblemSpec) -> set[str]:
    """The metrics of which more is better, as objectives have it first."""
    ways = {metric.name: metric.direction for metric in spec.metrics}
    ways |= {objective.metric: objective.direction for objective in spec.objectives}
    return {name for name, way in ways.items() if way == "maximize" and name != STD} | {"solved"}


def _plain_columns(trials: pd.DataFrame) -> Mapping[str, list[Any]]:
    rows = plain_rows(trials)
    return {name: [row[name] for row in rows] for name in trials.columns}


def _texts(name: str, values: Sequence[Any]) -> list[str | None]:
    if name == "solved":
        return [None if value is None else ("no", "yes")[value] for value in values]
    return [None if value is None else visible(str(value)) for value in values]
