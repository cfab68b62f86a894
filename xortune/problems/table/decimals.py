"""Numbers in a CSV file that are written with commas: 3,5 or 1.234,50 or 1,234.50."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from xortune.errors import UsageError
from xortune.plain_numbers import brief

# The columns by what commas stand for in them, or by the sign of their numbers.
Marks = Mapping[str, Sequence[str]]

_TEXTS = (pa.string(), pa.large_string())
_EXPONENT = r"([eE][+-]?\d+)?\s*$"
_DECIMAL_COMMA = r"^\s*[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+" + _EXPONENT
_THOUSANDS_COMMA = r"^\s*[+-]?\d{1,3}(,\d{3})+(\.\d+)?" + _EXPONENT
_WHOLE = r"^\s*[+-]?(\d+|\d{1,3}(\.\d{3})+)" + _EXPONENT
_PLAIN = r"^\s*[+-]?(\d+\.?\d*|\.\d+)" + _EXPONENT
_NO_DIGIT = r"^[^\d]*$"


def with_points(
    file: str, table: pa.Table, separator: str, text: Collection[str]
) -> tuple[pa.Table, Marks]:
    """The table with decimal points and no other marks in its numbers, and the columns changed.

    A column counts if all its cells are such numbers or have no digit. Where every comma might
    be either mark, as in 1,234, it is the decimal mark if semicolons separate the cells.

    Raises:
        UsageError: one column has decimal commas, and another decimal points.
    """
    decimal: list[str] = []
    thousands: list[str] = []
    for i, name in enumerate(table.column_names):
        column = table.column(i)
        if name in text or column.type not in _TEXTS:
            continue
        mark = _comma(column, separator)
        if mark == "decimal":
            decimal.append(name)
            points = pc.replace_substring(pc.replace_substring(column, ".", ""), ",", ".")
        elif mark == "thousands":
            thousands.append(name)
            points = pc.replace_substring(column, ",", "")
        else:
            continue
        table = table.set_column(i, name, pc.if_else(_with_digits(column), points, column))
    pointed = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    if decimal and pointed:
        raise UsageError(
            f"{file}: numbers have a decimal comma in column {brief(decimal[0])}, and a point in "
            f"column {brief(pointed[0])}. Write them alike."
        )
    return table, {"a decimal comma": decimal, "commas at thousands": thousands}


def _comma(column: pa.ChunkedArray, separator: str) -> str | None:
    """What commas stand for in the numbers of a column of text; None if it has no such numbers."""
    words = column.combine_chunks().unique().drop_null()
    commas = words.filter(pc.and_(pc.match_substring(words, ","), _with_digits(words)))
    if not len(commas):
        return None
    others = words.filter(pc.invert(pc.is_in(words, value_set=commas)))
    decimal = _all(commas, _DECIMAL_COMMA) and _all(others, f"{_WHOLE}|{_NO_DIGIT}")
    thousands = _all(commas, _THOUSANDS_COMMA) and _all(others, f"{_PLAIN}|{_NO_DIGIT}")
    if decimal and thousands:
        return "decimal" if separator == ";" else "thousands"
    return "decimal" if decimal else "thousands" if thousands else None


def _with_digits(words: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.match_substring_regex(words, r"\d")


def _all(words: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(words, pattern), min_count=0).as_py())
