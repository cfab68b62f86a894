"""The prepared rows of a table as those of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xortune.problems.module.rows import ModuleRows

if TYPE_CHECKING:
    from xortune.problems.table.recipe import Recipe
    from xortune.problems.table.rows import Rows
    from xortune.problems.table.table import Table


def rows_of_table(table: Table, *, as_numbers: bool) -> tuple[ModuleRows, tuple[ModuleRows, ...]]:
    """The rows of a table's split, with folds those of the first, and the rows of every fold.

    Args:
        table: the table.
        as_numbers: whether two classes are the numbers 0.0 and 1.0, as a loss of one logit wants
            them; otherwise they are whole, as of several classes.
    """
    whole = _are_whole(table.recipe, as_numbers)

    def rows(*parts: Rows) -> ModuleRows:
        targets = [part.y.astype(np.int64) if whole else part.y for part in parts]
        pairs = (array for part, y in zip(parts, targets) for array in (part.x, y))
        return ModuleRows(*map(np.ascontiguousarray, pairs))

    folds = (rows(fold.training, fold.validation) for fold in table.folds)
    return rows(table.training, table.validation, table.test), tuple(folds)


def rows_like(recipe: Recipe, *, as_numbers: bool) -> ModuleRows:
    """Zeros in the place of a table's rows, from its recipe: as many inputs, and all classes.

    They tell a model what it is built for, where a trained one is to answer and none is to learn.
    """
    target = recipe.target
    y = np.arange(len(target.classes) or 1, dtype=np.float32)
    if target.task == "classes" or _are_whole(recipe, as_numbers):
        y = y.astype(np.int64)
    x = np.zeros((len(y), recipe.inputs), np.float32)
    return ModuleRows(x, y, x, y)


def _are_whole(recipe: Recipe, as_numbers: bool) -> bool:
    """Whether two classes are whole numbers; fractions, and more classes, are as the table's."""
    return recipe.target.task == "binary" and not as_numbers
