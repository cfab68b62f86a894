"""Splits the rows of a table into training, validation and test, by a seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xortune.errors import UsageError
from xortune.plain_numbers import brief, real_number, whole_number
from xortune.wording import option

Split = tuple[float, float, float]  # percentages of training, validation and test
DEFAULT_SPLIT: Split = (60.0, 20.0, 20.0)
MAX_SEED = 2**32 - 1


class Parts(NamedTuple):
    """The numbers of the rows in each part, from 0 and ascending; int64."""

    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def sizes(self) -> tuple[int, int, int]:
        return len(self.training), len(self.validation), len(self.test)


def parse_split(split: str | Sequence[float] | None) -> Split:
    """Three percentages, from a text such as "60/20/20", or from percentages or shares.

    Raises:
        UsageError: they are not three numbers above 0 that sum to 100, or to 1.
    """
    if split is None:
        return DEFAULT_SPLIT
    values = list(map(_number, split.split("/") if isinstance(split, str) else _items(split)))
    total = math.fsum(values)
    whole = next((t for t in (100, 1) if math.isclose(total, t, rel_tol=1e-9)), None)
    if len(values) != 3 or whole is None or min(values) <= 0:
        raise UsageError(
            f"{option('split')} {brief(split)}: must be the percentages of training, validation "
            "and test rows, each above 0, and 100 together, such as 60/20/20."
        )
    training, validation, test = (value if whole == 100 else value * 100 for value in values)
    return training, validation, test


def check_seed(seed: Any) -> int:
    """The seed of a split; raises UsageError if it is not one."""
    whole = whole_number(seed)
    if whole is None or not 0 <= whole <= MAX_SEED:
        raise UsageError(
            f"{option('split_seed')} {brief(seed)}: must be a whole number from 0 to {MAX_SEED}."
        )
    return whole


def split_rows(
    count: int, split: Split, seed: int, classes: NDArray[np.int64] | None = None
) -> Parts:
    """The parts of `count` rows, at least 3: a function of the arguments alone.

    Every row draws a number from PCG64 (O'Neill 2014), whose stream NumPy never changes. In the
    order of these numbers, the first rows are for training, the next for validation, the last
    for testing.

    Args:
        count: the number of rows.
        split: percentages.
        seed: of the draw.
        classes: the class of each row, of shape `(count,)`; each class is then split by itself,
            and has a row in every part if it has at least 3. What is lost or won by rounding in
            one class is made up for in the next.
    """
    groups = drawn_groups(count, seed, classes)
    sizes = [len(group) for group in groups]
    ends = map(_ends, itertools.accumulate(sizes, initial=0), sizes, itertools.repeat(split))
    cuts = [np.split(group, where) for group, where in zip(groups, ends)]
    parts = (np.sort(np.concatenate(part)).astype(np.int64) for part in zip(*cuts))
    return Parts(*parts)


def drawn_groups(
    count: int, seed: int, classes: NDArray[np.int64] | None = None
) -> list[NDArray[np.int64]]:
    """The rows in the order of their drawn numbers: of each class, or all of them in one group.

    The arguments are those of `split_rows`.
    """
    order = np.argsort(np.random.PCG64(seed).random_raw(count), kind="stable")
    if classes is None:
        return [order]
    by_class = order[np.argsort(classes[order], kind="stable")]
    return np.split(by_class, np.cumsum(np.bincount(classes))[:-1])


def _ends(before: int, count: int, split: Split) -> tuple[int, int]:
    """Where training and validation end in a group of rows, which follows others."""
    if count < 3:
        return min(count, 1), count
    shares = (_rounded((before + count) * share) - _rounded(before * share) for share in split[1:])
    validation, test = (max(1, share) for share in shares)
    validation = min(validation, count - 2)
    test = min(test, count - 1 - validation)
    return count - validation - test, count - test


def _rounded(percent: float) -> int:
    return math.floor(percent / 100 + 0.5)


def _items(split: Any) -> list[Any]:
    return list(split) if isinstance(split, Sequence) or hasattr(split, "tolist") else []


def _number(value: Any) -> float:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return math.nan
    plain = real_number(value)
    return math.nan if plain is None else float(plain)
