"""Numbers with the sign of a currency or of percent: `€ 145,400`, `$1,200.50`, `12.5 %`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xortune.problems.table.cells import NO_NUMBER, text_array
from xortune.problems.table.decimals import Marks, with_points

# A column is one of such numbers if at least this share of its cells have the same sign.
_MOSTLY = 0.9
_SPACES = r"[\s\x{a0}\x{202f}]*"  # also those that break no line
_DIGITS = r"[\d.,]*\d[\d.,]*"
_SIGN = r"[\p{Sc}%]"
_SIGNED = (
    rf"^([+-]?{_SPACES}{_SIGN}{_SPACES}{_DIGITS}|{_SIGN}{_SPACES}[+-]{_DIGITS}"
    rf"|[+-]?{_DIGITS}{_SPACES}{_SIGN})$"
)


def without_signs(frame: pd.DataFrame, text: Collection[str]) -> tuple[pd.DataFrame, Marks]:
    """The table without signs in columns of numbers that have them, and these columns by sign.

    A cell that has another sign, or is no number, stays as it is. 45 % becomes 45.

    Args:
        frame: the table; its columns have different names.
        text: columns whose cells are text even if all look like numbers.
    """
    found: dict[str, pa.Array] = {}
    marks: dict[str, list[str]] = {}
    for name in frame.columns:
        cells = None if name in text else _texts(frame[name])
        sign = None if cells is None else _sign(cells)
        if sign is not None:
            found[name] = _without(sign, cells)
            marks.setdefault(f"the sign {sign}", []).append(name)
    if not found:
        return frame, {}
    table, commas = with_points("", pa.table(found), ",", ())
    columns = {name: table[name].to_pandas().set_axis(frame.index) for name in found}
    return frame.assign(**columns), {**marks, **commas}


def _texts(series: pd.Series) -> pa.Array | None:
    """The cells of a column of text; None for another one, and for one that cannot be read."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return None
    if pd.api.types.infer_dtype(series, skipna=True) != "string":
        return None
    try:
        return text_array(series)
    except ValueError:  # It is refused later, with its name.
        return None


def _sign(cells: pa.Array) -> str | None:
    """The sign that nearly all cells have which are not missing."""
    signed = pc.match_substring_regex(cells, _SIGNED)
    if not pc.any(signed).as_py():
        return None
    signs = pc.extract_regex(cells.filter(signed), rf"(?P<sign>{_SIGN})").field("sign")
    (sign, count), *_ = Counter(signs.to_pylist()).most_common(1)
    missing = pc.is_in(pc.utf8_lower(cells), value_set=pa.array(NO_NUMBER, cells.type))
    present = len(cells) - cells.null_count - (pc.sum(missing).as_py() or 0)
    return sign if count >= _MOSTLY * present else None


def _without(sign: str, cells: pa.Array) -> pa.Array:
    signed = pc.and_(pc.match_substring_regex(cells, _SIGNED), pc.match_substring(cells, sign))
    bare = pc.replace_substring_regex(cells, rf"{_SPACES}{_SIGN}{_SPACES}", "")
    return pc.if_else(signed, bare, cells)
