"""The cells of a column as numbers or as words, whatever form the table had.

The same content gives the same cells, from a CSV file, a Parquet file or a DataFrame.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from xortune.plain_numbers import brief

Kind = Literal["number", "words"]
Place = Callable[[int], str]  # of a row, from 0, as people find it: "row 7", "line 8"

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
# Missing in any column: the words that `pandas.read_csv` takes for it, and a question mark.
MISSING = frozenset((
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "?", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
))  # fmt: skip
# Missing among numbers, in any case; in a column of words these may mean something.
NO_NUMBER = frozenset((
    *(word.casefold() for word in MISSING),
    "-", "--", "---", ".", "..", "*", "missing", "unknown", "none", "nil", "n.a.", "n.a", "n.d.",
    "n.d", "n/d", "nd", "not available", "not applicable", "blank", "empty",
))  # fmt: skip
_DAY = r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))"
_CLOCK = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?"
_ZONE = r" ?(Z|UTC|[+-]\d{2}:?\d{2})?"
_DATE = rf"^({_DAY}|({_DAY}[T ])?{_CLOCK}{_ZONE})$"
_TRUTH = {"true": 1.0, "false": 0.0}
# A column is meant to hold numbers if at least this share of its cells are.
_MOSTLY = 0.9
_FEW_WORDS = 3
_TIMES = frozenset(("date", "datetime", "datetime64", "time", "timedelta", "timedelta64", "period"))
_NUMERIC = (bool, int, float, Decimal, np.number, np.bool_)


class Numbers(NamedTuple):
    """Cells as numbers.

    `values`, float64 of shape `(n,)`, has NaN where a cell is missing; `as_missing` counts the
    words that were taken as missing, such as "n/a".
    """

    values: NDArray[np.float64]
    as_missing: Mapping[str, int]

    def take(self, rows: NDArray[np.int64]) -> Numbers:
        """The cells of some rows, without the counts."""
        return Numbers(self.values[rows], {})


class Words(NamedTuple):
    """Cells as text: `words[code]` for each of `codes`, int32 of shape `(n,)`.

    The words are those that occur, in the order of their characters; -1 is a missing cell, and
    `as_missing` counts the words that were taken as such.
    """

    words: tuple[str, ...]
    codes: NDArray[np.int32]
    as_missing: Mapping[str, int]

    def take(self, rows: NDArray[np.int64]) -> Words:
        """The cells of some rows, with the same codes."""
        return Words(self.words, self.codes[rows], {})


class Unusable(NamedTuple):
    """Cells that are neither: the reason, as in "dates"."""

    reason: str


def holds_truths(series: pd.Series) -> bool:
    """Whether all cells are True or False."""
    return bool(pd.api.types.is_bool_dtype(series.dtype)) or (
        series.dtype == object and pd.api.types.infer_dtype(series, skipna=True) == "boolean"
    )


def row_number(row: int) -> str:
    """The place of a row where there are no lines: its number from 1."""
    return f"row {row + 1:,}"


def read_cells(series: pd.Series, place: Place = row_number) -> Numbers | Words | Unusable:
    """The cells of a column, as numbers where they are meant to be numbers.

    Args:
        series: the column.
        place: of a row, for messages.

    Raises:
        ValueError: nearly all cells are numbers, and the others are not words for a missing one;
            or text is not valid Unicode.
    """
    kind = _stored(series)
    if isinstance(kind, Unusable):
        return kind
    if kind == "number":
        return _finite(_floats(series))
    words = _words(series)
    return words if isinstance(series.dtype, pd.CategoricalDtype) else _judged(words, place)


def text_cells(series: pd.Series) -> Words | Unusable:
    """The cells of a column as words, though they may look like numbers.

    Raises:
        ValueError: text is not valid Unicode.
    """
    kind = _stored(series)
    return kind if isinstance(kind, Unusable) else _words(series)


def cells_as(kind: Kind, series: pd.Series) -> Numbers | Words:
    """The cells of a column of a known kind; what is not a number counts as missing.

    Raises:
        ValueError: text is not valid Unicode, or a number is beyond float64.
    """
    if kind == "words":
        return _words(series)
    if _stored(series) == "number":
        return _finite(_floats(series))
    cells = _words(series)
    values, others = _parsed(cells)
    for word in {word for word in others if word.lower() in _TRUTH}:
        values[cells.codes == cells.words.index(word)] = _TRUTH[word.lower()]
        del others[word]
    return _numbers(values, cells, others)


def is_number(text: str) -> bool:
    """Whether a cell is a number."""
    return re.match(NUMBER, text.strip(), re.ASCII) is not None


def number_name(value: float) -> str:
    """A number as the name of a class: `3`, not `3.0`."""
    return str(int(value)) if value == int(value) and abs(value) < 2**63 else repr(float(value))


def _stored(series: pd.Series) -> Kind | Unusable:
    """The kind of a column by its type; text may still hold numbers."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(dtype):
        if not isinstance(dtype, np.dtype):  # not object, which may hold anything
            return "words"
    elif pd.api.types.is_complex_dtype(dtype):
        return Unusable("complex numbers")
    elif pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_numeric_dtype(dtype):
        return "number"
    if pd.api.types.infer_dtype(series, skipna=True) in _TIMES:
        return Unusable("dates or times")
    kinds = {type(value) for value in series.dropna()}
    if all(issubclass(kind, _NUMERIC) for kind in kinds):
        return "number"
    if all(issubclass(kind, (str, *_NUMERIC)) for kind in kinds):
        return "words"
    return Unusable(f"values of type {min(kind.__name__ for kind in kinds)}")


def _floats(series: pd.Series) -> NDArray[np.float64]:
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biuf":
        return series.to_numpy().astype(np.float64, copy=False)
    if series.dtype == object:
        series = series.where(series.notna(), np.nan)
    try:
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    except OverflowError:
        raise ValueError("it has a number beyond 1.8e308. Correct it.") from None


def _finite(values: NDArray[np.float64]) -> Numbers:
    """Takes infinite numbers as missing."""
    infinite = np.isinf(values)
    count = int(infinite.sum())
    if not count:
        return Numbers(values, {})
    return Numbers(np.where(infinite, np.nan, values), {"inf": count})


def text_array(series: pd.Series) -> pa.Array:
    """The cells as trimmed text; raises ValueError for text that is not valid Unicode."""
    try:
        if not isinstance(series.dtype, pd.StringDtype):
            series = series.astype(object).map(_text, na_action="ignore")
        array = pa.array(series, type=pa.large_string(), from_pandas=True)
    except UnicodeEncodeError as error:
        raise ValueError(f"{brief(error.object)} is not valid Unicode. Correct it.") from None
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return pc.utf8_trim_whitespace(array)


def _text(value: object) -> str:
    if isinstance(value, (float, np.floating)) and np.isfinite(value):
        return number_name(float(value))
    return str(value)


def _words(series: pd.Series) -> Words:
    """The cells as words; those of `MISSING` are missing."""
    coded = text_array(series).dictionary_encode()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    order = pc.sort_indices(coded.dictionary).to_numpy()
    found = coded.dictionary.take(pa.array(order)).to_pylist()
    known = [word not in MISSING for word in found]
    rank = np.full(len(order) + 1, -1, dtype=np.int32)  # The last is for the code -1.
    rank[order[known]] = np.arange(sum(known), dtype=np.int32)
    counts = np.bincount(codes[codes >= 0], minlength=len(order))[order].tolist()
    as_missing = {word: n for word, n in zip(found, counts) if word and word in MISSING}
    return Words(tuple(itertools.compress(found, known)), rank[codes], as_missing)


def _judged(cells: Words, place: Place) -> Numbers | Words | Unusable:
    """Words as numbers, if nearly all of them are; as dates; or as they are."""
    if not cells.words:
        return Numbers(np.full(len(cells.codes), np.nan), cells.as_missing)
    words = pa.array(cells.words, type=pa.large_string())
    if pc.all(pc.match_substring_regex(words, _DATE)).as_py():
        return Unusable("dates or times")
    values, others = _parsed(cells)
    present = int((cells.codes >= 0).sum())
    strange = {word: count for word, count in others.items() if word.casefold() not in NO_NUMBER}
    numbers = present - sum(others.values())
    if numbers and not strange:
        return _numbers(values, cells, others)
    if numbers < _MOSTLY * present:
        return cells
    if len(strange) <= _FEW_WORDS and not any(re.search(r"\d", word) for word in strange):
        return _numbers(values, cells, others)
    raise ValueError(_not_a_number(cells, strange, numbers, place))


def _not_a_number(cells: Words, strange: Mapping[str, int], numbers: int, place: Place) -> str:
    codes = [code for code, word in enumerate(cells.words) if word in strange]
    row = int(np.isin(cells.codes, codes).argmax())
    return (
        f"{brief(cells.words[cells.codes[row]])} in {place(row)} is not a number, but "
        f"{numbers:,} other cells are. Correct it, or leave it empty."
    )


def _parsed(cells: Words) -> tuple[NDArray[np.float64], dict[str, int]]:
    """The cells as numbers, NaN where they are none, and how often each other word occurs."""
    words = pa.array(cells.words, type=pa.large_string())
    numeric = pc.match_substring_regex(words, NUMBER)
    parsed = pc.utf8_ltrim(pc.if_else(numeric, words, "nan"), "+").cast(pa.float64())
    values = np.append(parsed.to_numpy(zero_copy_only=False), np.nan)[cells.codes]
    others = pc.invert(numeric).to_numpy(zero_copy_only=False)
    counts = np.bincount(cells.codes[cells.codes >= 0], minlength=len(cells.words))
    found = {cells.words[i]: int(counts[i]) for i in np.flatnonzero(others)}
    return values, found


def _numbers(values: NDArray[np.float64], cells: Words, others: Mapping[str, int]) -> Numbers:
    """Parsed cells, of which some are other words, or infinite."""
    finite = _finite(values)
    return Numbers(finite.values, {**cells.as_missing, **others, **finite.as_missing})
