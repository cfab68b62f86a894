"""Fits the columns and the target of a table to the training rows, of every fold if it has some."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.table.cells import Numbers, Words
from xortune.problems.table.columns import Columns
from xortune.problems.table.preparation import PreparedColumn, fit_numbers, fit_words
from xortune.problems.table.recipe import Recipe
from xortune.problems.table.rows import Target
from xortune.problems.table.splitting import Parts
from xortune.problems.table.targets import Targets
from xortune.wording import option

T = TypeVar("T")
_NAMES_SHOWN = 12


def fitted_columns(
    source: str, columns: Columns, cuts: Sequence[Parts]
) -> list[tuple[PreparedColumn, ...]]:
    """The prepared columns for each cut of the rows.

    A column that is constant in the training rows of one cut is left out of all, so that every
    fold has the same columns.

    Args:
        source: the name of the data.
        columns: of the table; those that are left out move to its `left_out`.
        cuts: the parts of each fold, or those of the split alone.

    Raises:
        UsageError: no column is left.
    """
    prepared: list[list[PreparedColumn]] = []
    for name, cells in list(columns.cells.items()):
        fits = [_fitted(name, cells, parts.training) for parts in cuts]
        found = [fit for fit in fits if fit is not None]
        if len(found) == len(cuts):
            prepared.append(found)
        else:
            columns.leave_out(name, "constant in a fold" if found else "constant")
    if not prepared:
        reasons = [f"{brief(name)}: {reason}" for name, reason in columns.left_out.items()]
        shown = f" ({'; '.join(reasons[:_NAMES_SHOWN])})" if reasons else ""
        raise UsageError(f"{source} has no column to learn from, besides the target{shown}.")
    return [*zip(*prepared)]


def fitted_targets(source: str, name: str, targets: Targets, cuts: Sequence[Parts]) -> list[Target]:
    """The target as it is fitted in each cut; raises UsageError if it is constant in one."""

    def fitted(fold: int, training: NDArray[np.int64]) -> Target:
        try:
            return targets.fitted(training)
        except ValueError as error:
            if len(cuts) == 1:
                raise
            raise ValueError(
                f"is the same in all training rows of fold {fold}, so there is nothing to learn "
                f"there. Name another {option('split_seed')}, or leave {option('folds')} out."
            ) from error

    return of_target(
        source, name, lambda: [fitted(k, parts.training) for k, parts in enumerate(cuts)]
    )


def refitted(
    source: str,
    recipe: Recipe,
    cells: Mapping[str, Numbers | Words],
    targets: Targets,
    cuts: Sequence[Parts],
) -> list[Recipe]:
    """The recorded recipe, which is that of the first cut, and the recipes of the others.

    Raises:
        UsageError: a column or the target is constant in one of them: it is other data.
    """
    others = fitted_targets(source, recipe.target_name, targets, cuts) if cuts[1:] else []
    recipes = [recipe]
    for target, parts in zip(others[1:], cuts[1:]):
        fits = {c.name: _fitted(c.name, cells[c.name], parts.training) for c in recipe.columns}
        constant = next((name for name, fit in fits.items() if fit is None), None)
        if constant is not None:
            raise UsageError(
                f"{source} is not the data of this study: its column {brief(constant)} is constant "
                "in a fold."
            )
        columns = tuple(fit for fit in fits.values() if fit is not None)
        recipes.append(replace(recipe, target=target, columns=columns, rows=parts.sizes))
    return recipes


def of_target(source: str, name: str, read: Callable[[], T]) -> T:
    """The result of a function whose ValueErrors continue a sentence about the target."""
    try:
        return read()
    except ValueError as error:
        raise UsageError(f"{source}: target {brief(name)} {error}") from None


def _fitted(
    name: str, cells: Numbers | Words, training: NDArray[np.int64]
) -> PreparedColumn | None:
    """The preparation of a column; None if it is constant in the training rows."""
    if isinstance(cells, Numbers):
        return fit_numbers(name, cells.values[training])
    return fit_words(name, cells, training)
