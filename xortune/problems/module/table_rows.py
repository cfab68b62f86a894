"""The prepared rows of a table as those of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xortune.problems.module.rows import ModuleRows

if TYPE_CHECKING:
    from xortune.problems.table.rows import Rows
    from xortune.problems.table.table import Table


def rows_of_table(table: Table, *, as_numbers: bool) -> tuple[ModuleRows, tuple[ModuleRows, ...]]:
    """The rows of a table's split, with folds those of the first, and the rows of every fold.

    Args:
        table: the table.
        as_numbers: whether two classes are the numbers 0.0 and 1.0, as a loss of one logit wants
            them; otherwise they are whole, as of several classes.
    """
    whole = table.recipe.target.task == "binary" and not as_numbers

    def rows(*parts: Rows) -> ModuleRows:
        targets = [part.y.astype(np.int64) if whole else part.y for part in parts]
        pairs = (array for part, y in zip(parts, targets) for array in (part.x, y))
        return ModuleRows(*map(np.ascontiguousarray, pairs))

    folds = (rows(fold.training, fold.validation) for fold in table.folds)
    return rows(table.training, table.validation, table.test), tuple(folds)
