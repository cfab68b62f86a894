"""The column that is learnt: its task, its classes, and the targets of all rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xortune.escaping import visible
from xortune.problems.table.cells import (
    Numbers,
    Place,
    Unusable,
    Words,
    holds_truths,
    number_name,
    read_cells,
    row_number,
)
from xortune.problems.table.names import listed, quoted
from xortune.problems.table.preparation import centre_and_scale, standardised
from xortune.problems.table.rows import Target, Task
from xortune.wording import option

# Whole numbers 0, 1, 2 ... up to this are taken as classes, as scikit-learn's data sets have them.
_LARGEST_LABEL = 19
_LEAST_ROWS = 3  # of a class: one for each part


@dataclass(frozen=True)
class Targets:
    """The targets of all rows.

    Attributes:
        task: what is learnt.
        classes: their names, in the order of their numbers; empty for regression.
        values: float64 of shape `(n,)` for regression, in its own units; else int64 of shape
            `(n,)`, the number of each row's class.
        cells: of the column.
        note: what the target was taken for.
    """

    task: Task
    classes: tuple[str, ...]
    values: NDArray[np.float64] | NDArray[np.int64]
    cells: Numbers | Words
    note: str = ""

    @property
    def labels(self) -> NDArray[np.int64] | None:
        """The numbers of the classes; None for regression."""
        return None if self.task == "regression" else self.values.astype(np.int64)

    @property
    def small_classes(self) -> list[tuple[str, int]]:
        """The classes with too few rows for one in every part, and their numbers of rows."""
        if self.labels is None:
            return []
        counts = np.bincount(self.labels, minlength=len(self.classes)).tolist()
        return [(name, n) for name, n in zip(self.classes, counts) if n < _LEAST_ROWS]

    def fitted(self, training: NDArray[np.int64]) -> Target:
        """What is recorded; regression is standardised by the training rows.

        Raises:
            ValueError: a regression's training rows all have the same target.
        """
        if self.task != "regression":
            return Target(self.task, self.classes)
        mean, scale = centre_and_scale(self.values[training].astype(np.float64))
        if scale == 0:
            raise ValueError("is the same in all training rows, so there is nothing to learn.")
        return Target(self.task, (), mean, scale)

    def standardised(self, target: Target) -> NDArray[np.float32] | NDArray[np.int64]:
        """The targets of all rows as engines take them; classes stay their numbers."""
        if self.task == "regression":
            return standardised(self.values.astype(np.float64), target.mean, target.scale)
        if self.task == "binary":
            return self.values.astype(np.float32)
        return self.values.astype(np.int64)

    def expect(self, target: Target) -> Targets:
        """Itself; raises ValueError if its classes are not those of a recorded target."""
        if self.classes != target.classes:
            raise ValueError(f"has other classes than the study's, {listed(target.classes)}.")
        return self


def read_targets(
    name: str, series: pd.Series, task: Task | None, place: Place = row_number
) -> Targets:
    """The targets of all rows, for a task that is inferred if it is None.

    Args:
        name: of the column.
        series: the column.
        task: what is learnt.
        place: of a row, for messages.

    Raises:
        ValueError: the column cannot be a target, or not of this task; the message continues a
            sentence that begins with its name.
    """
    try:
        cells = read_cells(series, place)
    except ValueError as error:
        raise ValueError(f"is not a column of numbers: {error}") from None
    if isinstance(cells, Unusable):
        raise ValueError(f"holds {cells.reason}. A target must be numbers or text.")
    _refuse_missing(cells, place)
    values = _values(cells)
    if len(values) < 2:
        only = listed(_names(cells, values, holds_truths(series)))
        raise ValueError(f"has only one value, {only}: there is nothing to learn.")
    chosen = task or _inferred(cells, values)
    if chosen == "regression":
        return _regression(name, cells, values, inferred=task is None)
    names = _names(cells, values, holds_truths(series))
    _refuse_classes(chosen, names, len(series))
    note = f"target {visible(name)}: {len(names):,} values, {listed(names)}, taken as {chosen}"
    if chosen == "binary":
        note += f", 1 for {listed(names[1:])}"
    if task is None and chosen == "classes" and isinstance(cells, Numbers):
        note += f" ({option('task', 'regression')} to change)"
    codes = np.searchsorted(values, cells.values) if isinstance(cells, Numbers) else cells.codes
    return Targets(chosen, names, codes.astype(np.int64), cells, note)


def _regression(
    name: str, cells: Numbers | Words, values: NDArray[np.float64], inferred: bool
) -> Targets:
    if isinstance(cells, Words):
        classes = len(cells.codes) >= _LEAST_ROWS * len(cells.words)
        remedy = f"Use {option('task', 'classes')}" if classes else "Correct the column"
        raise ValueError(f"is text, {listed(cells.words)}, not numbers. {remedy}.")
    whole = bool((values == np.floor(values)).all())
    note = (
        f"target {visible(name)}: {len(values):,} {'whole ' if whole else ''}numbers from "
        f"{_plain(values[0])} to {_plain(values[-1])}, taken as regression"
    )
    labels = whole and len(values) <= min(_LARGEST_LABEL + 1, len(cells.values) // _LEAST_ROWS)
    if inferred and labels:
        note += f" ({option('task', 'classes')} to change)"
    return Targets("regression", (), cells.values, cells, note)


def _plain(value: float) -> str:
    return number_name(value) if value == np.floor(value) else f"{value:.6g}"


def _refuse_missing(cells: Numbers | Words, place: Place) -> None:
    missing = np.isnan(cells.values) if isinstance(cells, Numbers) else cells.codes < 0
    count = int(missing.sum())
    if not count:
        return
    written = f" (it has {quoted(cells.as_missing, 3)})" if cells.as_missing else ""
    raise ValueError(
        f"has no finite value in {count:,} of {len(missing):,} rows{written}, first in "
        f"{place(int(missing.argmax()))}. Leave these rows out, or fill them in."
    )


def _values(cells: Numbers | Words) -> NDArray[np.float64]:
    """The distinct numbers, ascending; of words their codes."""
    return np.unique(cells.values if isinstance(cells, Numbers) else cells.codes).astype(np.float64)


def _names(cells: Numbers | Words, values: NDArray[np.float64], truths: bool) -> tuple[str, ...]:
    """The names of the distinct values."""
    if isinstance(cells, Words):
        return cells.words
    if truths:
        return tuple(str(bool(value)) for value in values)
    return tuple(map(number_name, values.tolist()))


def _inferred(cells: Numbers | Words, values: NDArray[np.float64]) -> Task:
    if len(values) == 2:
        return "binary"
    if isinstance(cells, Words):
        return "classes"
    if len(values) > _LARGEST_LABEL + 1 or not np.array_equal(values, np.arange(len(values))):
        return "regression"
    rows = np.bincount(cells.values.astype(np.int64))
    return "classes" if rows.min() >= _LEAST_ROWS else "regression"


def _refuse_classes(task: Task, names: tuple[str, ...], count: int) -> None:
    if task == "binary" and len(names) != 2:
        raise ValueError(
            f"has {len(names):,} different values, {listed(names)}, but {option('task', 'binary')} "
            f"takes two. Use {option('task', 'classes')}."
        )
    if count < _LEAST_ROWS * len(names):
        raise ValueError(
            f"has {len(names):,} different values in {count:,} rows, {listed(names)}: a class "
            f"needs {_LEAST_ROWS} rows, one in each part. Is another column meant?"
        )
