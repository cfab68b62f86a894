"""A table of data, read, prepared and split: what engines train on, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xortune.errors import UsageError
from xortune.problems.table.asked import Asked, asked_of_columns, find_target, target_of_arrays
from xortune.problems.table.cells import Numbers, Words
from xortune.problems.table.columns import (
    Columns,
    content_digest,
    leave_out_copies,
    read_columns,
    table_digest,
)
from xortune.problems.table.fitting import (
    fitted_columns,
    fitted_targets,
    of_target,
    refitted,
)
from xortune.problems.table.folds import check_folds, cut_into_folds, refuse_too_many_folds
from xortune.problems.table.memory import refuse_too_large
from xortune.problems.table.names import quoted
from xortune.problems.table.new_rows import cells_of, columns_by_name
from xortune.problems.table.notes import summary
from xortune.problems.table.preparation import encode
from xortune.problems.table.reading import Read, read_table
from xortune.problems.table.recipe import Recipe
from xortune.problems.table.rows import TASKS, Fold, Rows, Task
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

_NAMES_SHOWN = 12
_LEAST_ROWS = 5
_FAULTS_SHOWN = 10


@dataclass(frozen=True)
class Table:
    """A table, read, prepared and split.

    Attributes:
        recipe: how it was prepared and split, as plain values; with folds that of the first.
        name: of its file, or "data".
        digest: of the content that is used: names, kinds and cells of the inputs and the target.
        training, validation, test: the prepared rows, each part in the table's order; with folds
            those of the first.
        notes: lines of at most 80 characters on what was done with every column.
        folds: the rows of each fold; empty without folds.
    """

    recipe: Recipe
    name: str
    digest: str
    training: Rows
    validation: Rows
    test: Rows
    notes: tuple[str, ...]
    folds: tuple[Fold, ...] = ()


def load_table(
    data: Any,
    target: str | None = None,
    task: Task | None = None,
    split: str | Sequence[float] | None = None,
    split_seed: int = 0,
    drop: Sequence[str] = (),
    text: Sequence[str] = (),
    folds: int | None = None,
) -> Table:
    """Reads a table, fits its preparation on training rows, and splits it.

    With folds, the training and validation rows are cut into parts of equal size, which validate
    in turn while the others train. Each fold has a preparation of its own.

    Args:
        data: the path of a CSV, Parquet, .npz or .pt file; a DataFrame; a pair (X, y), or a
            mapping with X and y, of arrays or tensors.
        target: the column to learn; not needed for arrays.
        task: regression, binary or classes; None infers it.
        split: percentages of training, validation and test rows; None for 60/20/20.
        split_seed: of the draw that splits the rows, 0 to 2**32 - 1.
        drop: columns to leave out.
        text: columns whose values are categories though they look like numbers, as postcodes do.
        folds: how many parts validate in turn; None for the validation rows of the split alone.

    Raises:
        UsageError: the data or an argument cannot be used; the message says all that is wrong.

    Example:
        table = load_table("wine.csv", target="quality")
    """
    shares, seed, count = _checked(task, split, split_seed, folds)
    asked = asked_of_columns(drop, text)
    read = read_table(data, (*asked.text, *asked.drop))
    name = _target_name(read, target)
    asked.check(read.frame.columns, name, read.name)
    targets, columns = _understood(read, name, task, asked)
    digests = leave_out_copies(columns, targets.cells)
    parts = split_rows(len(read.frame), shares, seed, targets.labels)
    if count is not None:
        refuse_too_many_folds(count, parts, targets)
    cuts = _cuts(read.name, parts, count, seed, targets, len(columns.cells))
    prepared = fitted_columns(read.name, columns, cuts)
    left_out = tuple((c, columns.left_out[c]) for c in read.frame if c in columns.left_out)
    recipes = [
        Recipe(name, fitted, inputs, left_out, shares, seed, rows.sizes, count)
        for fitted, inputs, rows in zip(
            fitted_targets(read.name, name, targets, cuts), prepared, cuts
        )
    ]
    used = {column.name: digests[column.name] for column in recipes[0].columns}
    digest = table_digest(name, content_digest(targets.cells), used)
    notes = summary(recipes[0], columns.cells, read.name, targets, read.marks)
    rows = _prepared_rows(read.name, recipes, columns.cells, targets, cuts)
    return _table(recipes[0], read.name, digest, rows, notes)


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
    targets = of_target(
        read.name,
        name,
        lambda: read_targets(name, frame[name], target.task, read.place).expect(target),
    )
    cells = {c.name: found for c in recipe.columns if (found := cells_of(c, frame)) is not None}
    seed, folds = recipe.split_seed, recipe.folds
    parts = split_rows(len(read.frame), recipe.split, seed, targets.labels)
    cuts = _cuts(read.name, parts, folds, seed, targets, len(cells))
    recipes = refitted(read.name, recipe, cells, targets, cuts)
    used = {column: content_digest(found) for column, found in cells.items()}
    digest = table_digest(name, content_digest(targets.cells), used)
    rows = _prepared_rows(read.name, recipes, cells, targets, cuts)
    return _table(recipe, read.name, digest, rows, notes=())


def _target_name(read: Read, target: str | None) -> str:
    if read.target is None:
        return find_target(read.frame.columns, target, read.name)
    return target_of_arrays(read.frame.columns, read.target, target, read.name)


def _checked(task: Any, split: Any, split_seed: Any, folds: Any) -> tuple[Split, int, int | None]:
    """The split, its seed and the folds; raises UsageError with the faults of all four."""
    faults = [] if task is None else one_of("task", task, TASKS)
    shares, seed, count = DEFAULT_SPLIT, 0, None
    try:
        shares = parse_split(split)
    except UsageError as error:
        faults.append(str(error))
    try:
        seed = check_seed(split_seed)
    except UsageError as error:
        faults.append(str(error))
    try:
        count = check_folds(folds)
    except UsageError as error:
        faults.append(str(error))
    if faults:
        raise UsageError("\n".join(faults))
    return shares, seed, count


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
        targets = of_target(
            read.name, name, lambda: read_targets(name, read.frame[name], task, read.place)
        )
    except UsageError as error:
        faults.insert(0, str(error))
    if faults or targets is None:
        more = len(faults) - _FAULTS_SHOWN
        shown = [*faults[:_FAULTS_SHOWN], *([f"and {more:,} more"] if more > 0 else [])]
        raise UsageError("\n".join(shown))
    return targets, columns


def _cuts(
    source: str, parts: Parts, folds: int | None, seed: int, targets: Targets, columns: int
) -> tuple[Parts, ...]:
    """The parts of each fold, or those of the split alone; `columns` is the number of inputs."""
    if folds is None:
        return (parts,)
    refuse_too_large(source, sum(parts.sizes), columns, bytes_per_cell=4, folds=folds)
    return cut_into_folds(parts, folds, seed, targets.labels)


class _Prepared(NamedTuple):
    """The prepared rows: those of each fold, or of the split alone, and the test rows."""

    folds: tuple[Fold, ...]
    test: Rows


def _prepared_rows(
    source: str,
    recipes: Sequence[Recipe],
    cells: Mapping[str, Numbers | Words],
    targets: Targets,
    cuts: Sequence[Parts],
) -> _Prepared:
    """The rows by the recipe of each cut; the test rows by the first."""
    first = recipes[0]
    refuse_too_large(source, sum(first.rows), first.inputs, bytes_per_cell=4, folds=len(cuts))

    def rows(recipe: Recipe, part: NDArray[np.int64]) -> Rows:
        chosen = (cells[column.name].take(part) for column in recipe.columns)
        y = targets.standardised(recipe.target)
        return Rows(encode(recipe.columns, chosen, len(part)), y[part])

    folds = tuple(
        Fold(rows(recipe, parts.training), rows(recipe, parts.validation), recipe.target)
        for recipe, parts in zip(recipes, cuts)
    )
    return _Prepared(folds, rows(first, cuts[0].test))


def _table(
    recipe: Recipe, name: str, digest: str, rows: _Prepared, notes: tuple[str, ...]
) -> Table:
    """The table, whose rows are those of the first fold."""
    training, validation, _ = rows.folds[0]
    folds = () if recipe.folds is None else rows.folds
    return Table(recipe, name, digest, training, validation, rows.test, notes, folds)


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
