"""Prepared columns: how the cells of a column become inputs, fitted on training rows only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from xortune.problems.table.cells import Numbers, Words

MOST_WORDS = 30  # Rarer words become "other".
_LARGEST = float(np.finfo(np.float32).max)
_SMALLEST = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers, standardised: `(value - mean) / scale`.

    Attributes:
        name: of the column.
        median: what a missing value becomes; of the training rows that have one.
        mean, scale: of the training rows, with the median for missing values; the scale is the
            standard deviation, dividing by the number of rows.
        indicator: whether another input is 1 where the value is missing, and else 0.
    """

    name: str
    median: float
    mean: float
    scale: float
    indicator: bool

    @property
    def input_names(self) -> tuple[str, ...]:
        return (self.name, *_indicator(self))

    def encode(self, cells: Numbers, x: NDArray[np.float32]) -> None:
        """Fills the inputs, float32 of shape `(n, len(input_names))`."""
        missing = np.isnan(cells.values)
        values = np.where(missing, self.median, cells.values)
        x[:, 0] = standardised(values, self.mean, self.scale)
        if self.indicator:
            x[:, 1] = missing

    def encode_missing(self, x: NDArray[np.float32]) -> None:
        """Fills the inputs for a column that the data lacks."""
        x[:, 0] = standardised(np.array(self.median), self.mean, self.scale)
        x[:, 1:] = 1


@dataclass(frozen=True)
class WordsColumn:
    """A column of text: an input for each word, 1 where a row has it and else 0.

    Attributes:
        name: of the column.
        words: the most frequent of the training rows, in the order of their characters.
        other: whether another input is 1 for all further words.
        indicator: whether another input is 1 where the text is missing.
    """

    name: str
    words: tuple[str, ...]
    other: bool
    indicator: bool

    @property
    def input_names(self) -> tuple[str, ...]:
        words = (f"{self.name}={word}" for word in self.words)
        other = (f"{self.name} (other)",) if self.other else ()
        return (*words, *other, *_indicator(self))

    def encode(self, cells: Words, x: NDArray[np.float32]) -> None:
        """Fills the inputs, float32 of shape `(n, len(input_names))`."""
        places = {word: place for place, word in enumerate(self.words)}
        rest = len(self.words) if self.other else -1
        found = [places.get(word, rest) for word in cells.words]
        found.append(len(self.words) + self.other if self.indicator else -1)  # for the code -1
        place = np.array(found, dtype=np.int64)[cells.codes]
        x[:] = 0
        rows = np.flatnonzero(place >= 0)
        x[rows, place[rows]] = 1

    def encode_missing(self, x: NDArray[np.float32]) -> None:
        """Fills the inputs for a column that the data lacks."""
        x[:] = 0
        if self.indicator:
            x[:, -1] = 1


PreparedColumn = NumberColumn | WordsColumn


def fit_numbers(name: str, values: NDArray[np.float64]) -> NumberColumn | None:
    """The preparation of a column of numbers; None if it is constant.

    Args:
        name: of the column.
        values: of the training rows, NaN where missing.
    """
    missing = np.isnan(values)
    if missing.all():
        return None
    median = _median(values[~missing])
    indicator = bool(missing.any())
    mean, scale = centre_and_scale(np.where(missing, median, values) if indicator else values)
    if scale == 0 and not indicator:
        return None
    return NumberColumn(name, median, mean, scale or 1.0, indicator)


def fit_words(name: str, cells: Words, training: NDArray[np.int64]) -> WordsColumn | None:
    """The preparation of a column of text; None if it is constant."""
    codes = cells.codes[training]
    counts = np.bincount(codes[codes >= 0], minlength=len(cells.words))
    known = np.flatnonzero(counts)
    indicator = len(codes) > counts.sum()
    if len(known) + indicator < 2:
        return None
    # Words are in the order of their characters, so that a stable sort decides between equals.
    frequent = known[np.argsort(-counts[known], kind="stable")][:MOST_WORDS]
    words = tuple(cells.words[code] for code in np.sort(frequent))
    return WordsColumn(name, words, len(known) > len(words), bool(indicator))


def centre_and_scale(values: NDArray[np.float64]) -> tuple[float, float]:
    """The mean and the standard deviation of finite values; a deviation of 0 if they are equal.

    The values are divided by a power of two, which changes no digit, since the squares of large
    ones would overflow.
    """
    largest = float(np.abs(values).max())
    if largest < _SMALLEST or bool((values == values[0]).all()):
        return float(values[0]), 0.0
    unit = math.ldexp(1.0, math.frexp(largest)[1] - 1)
    small = values / unit
    centre = float(small.mean())
    scale = unit * math.sqrt(float(np.square(small - centre).mean()))
    return unit * centre, scale if scale >= _SMALLEST else 0.0


def standardised(values: NDArray[np.float64], mean: float, scale: float) -> NDArray[np.float32]:
    """`(values - mean) / scale`, at most the largest float32."""
    with np.errstate(over="ignore"):
        return np.clip((values - mean) / scale, -_LARGEST, _LARGEST).astype(np.float32)


def encode(
    columns: Sequence[PreparedColumn], cells: Iterable[Numbers | Words | None], count: int
) -> NDArray[np.float32]:
    """The inputs of `count` rows, float32 of shape `(count, d)`.

    Args:
        columns: their preparation.
        cells: of each column, None for one that the data lacks.
        count: the number of rows.
    """
    widths = [len(column.input_names) for column in columns]
    x = np.empty((count, sum(widths)), dtype=np.float32)
    for column, found, end, width in zip(columns, cells, np.cumsum(widths).tolist(), widths):
        inputs = x[:, end - width : end]
        if found is None:
            column.encode_missing(inputs)
        else:
            column.encode(found, inputs)  # type: ignore[arg-type]  # of the column's kind
    return x


def _median(values: NDArray[np.float64]) -> float:
    """As `np.median`, without overflow."""
    count = len(values)
    middle = np.partition(values, [(count - 1) // 2, count // 2])
    low, high = float(middle[(count - 1) // 2]), float(middle[count // 2])
    return low if low == high else low / 2 + high / 2


def _indicator(column: NumberColumn | WordsColumn) -> tuple[str, ...]:
    return (f"{column.name} (missing)",) if column.indicator else ()
