"""Prepares new rows by a recipe, and says what they lack."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xortune.errors import UsageError
from xortune.escaping import visible
from xortune.plain_numbers import brief
from xortune.problems.table.asked import similar
from xortune.problems.table.cells import Kind, Numbers, Words, cells_as
from xortune.problems.table.names import quoted, refuse_repeated
from xortune.problems.table.preparation import NumberColumn, PreparedColumn, WordsColumn, encode

if TYPE_CHECKING:
    from xortune.problems.table.recipe import Recipe

_SHOWN = 3


def prepare_frame(recipe: Recipe, frame: pd.DataFrame) -> tuple[NDArray[np.float32], list[str]]:
    """See `Recipe.prepare`."""
    by_name = columns_by_name(frame)
    if not any(column.name in by_name for column in recipe.columns):
        wanted = quoted([column.name for column in recipe.columns], _SHOWN)
        raise UsageError(
            f"data: it has none of the columns {wanted}, but {quoted(by_name, _SHOWN)}."
        )
    found = [cells_of(column, by_name) for column in recipe.columns]
    known = {
        recipe.target_name,
        *(c.name for c in recipe.columns),
        *(n for n, _ in recipe.left_out),
    }
    others = [name for name in by_name if name not in known]
    notes = []
    for column, cells in zip(recipe.columns, found):
        notes += _missing(column, others) if cells is None else _unknown(column, cells)
    return encode(recipe.columns, found, len(frame)), notes


def columns_by_name(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """The columns of a frame; raises UsageError if two have the same name."""
    names = [str(name) for name in frame.columns]
    refuse_repeated("data", names)
    return {name: frame.iloc[:, i] for i, name in enumerate(names)}


def cells_of(column: PreparedColumn, by_name: dict[str, pd.Series]) -> Numbers | Words | None:
    """The cells of a recorded column; None if the data lacks it.

    Raises:
        UsageError: its text is not valid Unicode.
    """
    if column.name not in by_name:
        return None
    kind: Kind = "number" if isinstance(column, NumberColumn) else "words"
    try:
        return cells_as(kind, by_name[column.name])
    except ValueError as error:
        raise UsageError(f"column {brief(column.name)}: {error}") from None


def _missing(column: PreparedColumn, others: Collection[str]) -> list[str]:
    """The note on a column that is missing, and on an unknown one that may be meant for it."""
    taken = "taken as missing in every row"
    if isinstance(column, NumberColumn) and not column.indicator:
        taken = f"the training rows' median, {column.median:g}, is taken for it"
    meant = similar(column.name, others)
    hint = "" if meant is None else f". Did you mean {brief(meant)}?"
    return [f"column {visible(column.name)} is missing: {taken}{hint}"]


def _unknown(column: PreparedColumn, cells: Numbers | Words) -> list[str]:
    """Notes on words among numbers, on unknown words, and on cells that were never missing."""
    notes, name = [], visible(column.name)
    if isinstance(cells, Numbers):
        missing = int(np.isnan(cells.values).sum())
        if cells.as_missing:
            written = _rows(sum(cells.as_missing.values()))
            words = quoted(cells.as_missing, _SHOWN)
            notes.append(f"column {name}: {words} taken as missing ({written})")
        if missing and not column.indicator:
            assert isinstance(column, NumberColumn)
            taken = f"the training rows' median, {column.median:g}, is taken"
            notes.append(f"column {name}: {_rows(missing)} missing, {taken}")
        return notes
    assert isinstance(column, WordsColumn)
    known = {*column.words}
    unknown = [code for code, word in enumerate(cells.words) if word not in known]
    if unknown:
        words = quoted([cells.words[code] for code in unknown], _SHOWN)
        count = int(np.isin(cells.codes, unknown).sum())
        taken = "taken as other" if column.other else "taken as none of the known"
        notes.append(f"column {name}: {words} not among its words ({_rows(count)}), {taken}")
    missing = int((cells.codes < 0).sum())
    if missing and not column.indicator:
        notes.append(f"column {name}: {_rows(missing)} missing, taken as none of the known words")
    return notes


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
