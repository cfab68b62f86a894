"""Cuts the rows of a table that are not test rows into folds, each of which validates in turn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.errors import UsageError
from xortune.escaping import visible
from xortune.plain_numbers import brief, whole_number
from xortune.problems.table.splitting import Parts, drawn_groups
from xortune.problems.table.targets import Targets
from xortune.wording import option

_MOST = 10_000  # The most replicates that a study can have, of which each fold needs one.


def check_folds(folds: Any) -> int | None:
    """The number of folds; None for none.

    Raises:
        UsageError: it is not a whole number of at least 2, or is more than a study can have.
    """
    if folds is None:
        return None
    whole = whole_number(folds)
    if whole is None or not 2 <= whole <= _MOST:
        bounds = "of at least 2" if whole is None or whole < 2 else f"from 2 to {_MOST}"
        raise UsageError(f"{option('folds')} {brief(folds)}: must be a whole number {bounds}.")
    return whole


def refuse_too_many_folds(folds: int, parts: Parts, targets: Targets) -> None:
    """Raises UsageError unless every fold has a validation row, and one of each class."""
    rows = np.concatenate((parts.training, parts.validation))
    most, there = len(rows), f"there are {len(rows):,} training and validation rows"
    remedy = ""
    if targets.labels is not None:
        counts = np.bincount(targets.labels[rows], minlength=len(targets.classes))
        most = int(counts.min())
        name = visible(targets.classes[int(counts.argmin())])
        there = f"class {name} has {_rows(most)} besides test rows, and each fold needs one"
        remedy = ", or leave out the rows of that class"
    if folds > most:
        advice = f"Use at most {most:,}{remedy}" if most > 1 else "Leave out the rows of that class"
        raise UsageError(f"{option('folds')} {folds:,}: {there}. {advice}.")


def cut_into_folds(
    parts: Parts, folds: int, seed: int, classes: NDArray[np.int64] | None = None
) -> tuple[Parts, ...]:
    """The parts of each fold: a function of the seed, the folds and the classes.

    The training and validation rows are dealt out, one after the other, in the order in which
    they were drawn for the split: see `split_rows`. They are dealt class by class, so that the
    numbers of validation rows of two folds differ by at most one, in total and in each class. A
    fold trains on the rows that do not validate in it. The test rows stay what they are.

    Args:
        parts: of the split.
        folds: their number, K.
        seed: of the split.
        classes: of all rows, as for `split_rows`.
    """
    count = sum(map(len, parts))
    is_test = np.zeros(count, bool)
    is_test[parts.test] = True
    order = np.concatenate(drawn_groups(count, seed, classes))
    dealt = order[~is_test[order]]
    fold = np.full(count, -1)
    fold[dealt] = np.arange(len(dealt)) % folds
    return tuple(
        Parts(
            np.flatnonzero((fold != k) & ~is_test).astype(np.int64),
            np.flatnonzero(fold == k).astype(np.int64),
            parts.test,
        )
        for k in range(folds)
    )


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
