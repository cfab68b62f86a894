"""A table of data, read, prepared and split: what engines train on, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.table.asked import Asked, asked_of_columns, find_target, target_of_arrays
from xortune.problems.table.cells import Numbers, Words
from xortune.problems.table.columns import (
    Columns,
    content_digest,
    leave_out_copies,
    read_columns,
    table_digest,
)
from xortune.problems.table.memory import refuse_too_large
from xortune.problems.table.names import quoted
from xortune.problems.table.new_rows import cells_of, columns_by_name
from xortune.problems.table.notes import summary
from xortune.problems.table.preparation import PreparedColumn, encode, fit_numbers, fit_words
from xortune.problems.table.reading import Read, read_table
from xortune.problems.table.recipe import Recipe
from xortune.problems.table.rows import TASKS, Rows, Task
from xortune.problems.table.splitting import (
    DEFAULT_SPLIT,
    Parts,
    Split,
    check_seed,
    parse_split,
    split_rows,
)
from xortune.problems.table.targets import Targets, read_targets
from xortune.settings import one_of

T = TypeVar("T")
_NAMES_SHOWN = 12
_LEAST_ROWS = 5
_FAULTS_SHOWN = 10


@dataclass(frozen=True)
class Table:
    """A table, read, prepared and split.

    Attributes:
        recipe: how it was prepared and split, as plain values.
        name: of its file, or "data".
        digest: of the content that is used: names, kinds and cells of the inputs and the target.
        training, validation, test: the prepared rows, each part in the table's order.
        notes: lines of at most 80 characters on what was done with every column.
    """

    recipe: Recipe
    name: str
    digest: str
    training: Rows
    validation: Rows
    test: Rows
    notes: tuple[str, ...]


def load_table(
    data: Any,
    target: str | None = None,
    task: Task | None = None,
    split: str | Sequence[float] | None = None,
    split_seed: int = 0,
    drop: Sequence[str] = (),
    text: Sequence[str] = (),
) -> Table:
    """Reads a table, fits its preparation on training rows, and splits it.

    Args:
        data: the path of a CSV, Parquet, .npz or .pt file; a DataFrame; a pair (X, y), or a
            mapping with X and y, of arrays or tensors.
        target: the column to learn; not needed for arrays.
        task: regression, binary or classes; None infers it.
        split: percentages of training, validation and test rows; None for 60/20/20.
        split_seed: of the draw that splits the rows, 0 to 2**32 - 1.
        drop: columns to leave out.
        text: columns whose values are categories though they look like numbers, as postcodes do.

    Raises:
        UsageError: the data or an argument cannot be used; the message says all that is wrong.

    Example:
        table = load_table("wine.csv", target="quality")
    """
    shares, seed = _checked(task, split, split_seed)
    asked = asked_of_columns(drop, text)
    read = read_table(data, (*asked.text, *asked.drop))
    name = _target_name(read, target)
    asked.check(read.frame.columns, name, read.name)
    targets, columns = _understood(read, name, task, asked)
    digests = leave_out_copies(columns, targets.cells)
    parts = split_rows(len(read.frame), shares, seed, targets.labels)
    prepared = _fitted(read.name, columns, parts)
    recipe = Recipe(
        target_name=name,
        target=_of_target(read.name, name, lambda: targets.fitted(parts.training)),
        columns=prepared,
        left_out=tuple((c, columns.left_out[c]) for c in read.frame if c in columns.left_out),
        split=shares,
        split_seed=seed,
        rows=_counts(parts),
    )
    used = {column.name: digests[column.name] for column in prepared}
    digest = table_digest(name, content_digest(targets.cells), used)
    notes = summary(recipe, columns.cells, read.name, targets, read.marks)
    rows = _prepared_rows(read.name, recipe, columns.cells, targets, parts)
    return Table(recipe, read.name, digest, *rows, notes=notes)


def load_table_again(data: Any, recipe: Recipe) -> Table:
    """Reads a table, and prepares and splits it as recorded; without notes.

    The digest tells whether it is the same data: the caller compares it with the recorded one.

    Args:
        data: as for `load_table`.
        recipe: as recorded.

    Raises:
        UsageError: the data cannot be used, or is clearly other data: its columns, its number of
            rows or its classes differ.
    """
    read = read_table(data, recipe.text_columns)
    name, frame = recipe.target_name, columns_by_name(read.frame)
    _refuse_other(read, recipe, frame)
    target = recipe.target
    targets = _of_target(
        read.name,
        name,
        lambda: read_targets(name, frame[name], target.task, read.place).expect(target),
    )
    cells = {c.name: found for c in recipe.columns if (found := cells_of(c, frame)) is not None}
    parts = split_rows(len(read.frame), recipe.split, recipe.split_seed, targets.labels)
    used = {column: content_digest(found) for column, found in cells.items()}
    digest = table_digest(name, content_digest(targets.cells), used)
    rows = _prepared_rows(read.name, recipe, cells, targets, parts)
    return Table(recipe, read.name, digest, *rows, notes=())


def _target_name(read: Read, target: str | None) -> str:
    if read.target is None:
        return find_target(read.frame.columns, target, read.name)
    return target_of_arrays(read.frame.columns, read.target, target, read.name)


def _checked(task: Any, split: Any, split_seed: Any) -> tuple[Split, int]:
    """The split and its seed; raises UsageError with the faults of all three."""
    faults = [] if task is None else one_of("task", task, TASKS)
    shares, seed = DEFAULT_SPLIT, 0
    try:
        shares = parse_split(split)
    except UsageError as error:
        faults.append(str(error))
    try:
        seed = check_seed(split_seed)
    except UsageError as error:
        faults.append(str(error))
    if faults:
        raise UsageError("\n".join(faults))
    return shares, seed


def _understood(read: Read, name: str, task: Task | None, asked: Asked) -> tuple[Targets, Columns]:
    """The target and the other columns; raises UsageError with all that must be corrected."""
    if len(read.frame) < _LEAST_ROWS:
        raise UsageError(
            f"{read.name} has {len(read.frame)} rows. A search needs at least {_LEAST_ROWS}."
        )
    columns = read_columns(read.frame, name, read.target is None, asked, read.place)
    faults = [f"{read.name}: {fault}" for fault in columns.faults]
    targets = None
    try:
        targets = _of_target(
            read.name, name, lambda: read_targets(name, read.frame[name], task, read.place)
        )
    except UsageError as error:
        faults.insert(0, str(error))
    if faults or targets is None:
        more = len(faults) - _FAULTS_SHOWN
        shown = [*faults[:_FAULTS_SHOWN], *([f"and {more:,} more"] if more > 0 else [])]
        raise UsageError("\n".join(shown))
    return targets, columns


def _fitted(source: str, columns: Columns, parts: Parts) -> tuple[PreparedColumn, ...]:
    """The prepared columns; constant ones are left out."""
    prepared: list[PreparedColumn] = []
    for name, cells in list(columns.cells.items()):
        fitted: PreparedColumn | None
        if isinstance(cells, Numbers):
            fitted = fit_numbers(name, cells.values[parts.training])
        else:
            fitted = fit_words(name, cells, parts.training)
        if fitted is None:
            columns.leave_out(name, "constant")
        else:
            prepared.append(fitted)
    if not prepared:
        reasons = [f"{brief(name)}: {reason}" for name, reason in columns.left_out.items()]
        shown = f" ({'; '.join(reasons[:_NAMES_SHOWN])})" if reasons else ""
        raise UsageError(f"{source} has no column to learn from, besides the target{shown}.")
    return tuple(prepared)


def _prepared_rows(
    source: str,
    recipe: Recipe,
    cells: Mapping[str, Numbers | Words],
    targets: Targets,
    parts: Parts,
) -> tuple[Rows, Rows, Rows]:
    """The training, validation and test rows."""
    refuse_too_large(source, sum(recipe.rows), recipe.inputs, bytes_per_cell=4)
    y = targets.standardised(recipe.target)

    def rows(part: NDArray[np.int64]) -> Rows:
        chosen = (cells[column.name].take(part) for column in recipe.columns)
        return Rows(encode(recipe.columns, chosen, len(part)), y[part])

    return rows(parts.training), rows(parts.validation), rows(parts.test)


def _refuse_other(read: Read, recipe: Recipe, frame: Mapping[str, Any]) -> None:
    """Raises UsageError if data lacks a recorded column, or has another number of rows."""
    wanted = (recipe.target_name, *(column.name for column in recipe.columns))
    lacking = [name for name in wanted if name not in frame]
    there, recorded = len(read.frame), sum(recipe.rows)
    if lacking:
        fault = f"it has no column {quoted(lacking, _NAMES_SHOWN)}"
    elif there != recorded:
        fault = f"it has {there:,} rows, and the study's has {recorded:,}"
    else:
        return
    raise UsageError(f"{read.name} is not the data of this study: {fault}.")


def _of_target(source: str, name: str, read: Callable[[], T]) -> T:
    """The result of a function whose ValueErrors continue a sentence about the target."""
    try:
        return read()
    except ValueError as error:
        raise UsageError(f"{source}: target {brief(name)} {error}") from None


def _counts(parts: Parts) -> tuple[int, int, int]:
    return len(parts.training), len(parts.validation), len(parts.test)
