"""Numbers with the sign of a currency or of percent: `€ 145,400`, `$1,200.50`, `12.5 %`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.table.cells import NO_NUMBER, text_array
from xortune.problems.table.decimals import Marks, with_points

# A column is one of such numbers if at least this share of its cells have the same sign.
_MOSTLY = 0.9
_SPACES = r"[\s\x{a0}\x{202f}]*"  # also those that break no line
_THOUSANDS = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$"
_DIGITS = r"[\d.,]*\d[\d.,]*"
_SIGN = r"[\p{Sc}%]"
_SIGNED = (
    rf"^([+-]?{_SPACES}{_SIGN}{_SPACES}{_DIGITS}|{_SIGN}{_SPACES}[+-]{_DIGITS}"
    rf"|[+-]?{_DIGITS}{_SPACES}{_SIGN})$"
)


def without_signs(
    source: str, frame: pd.DataFrame, text: Collection[str]
) -> tuple[pd.DataFrame, Marks]:
    """The table without signs in columns of numbers that have them, and these columns by sign.

    A cell that has another sign, or is no number, stays as it is. 45 % becomes 45.

    Args:
        source: the name of the data, for messages.
        frame: the table; its columns have different names.
        text: columns whose cells are text even if all look like numbers.

    Raises:
        UsageError: points in money may be either mark, as in 950 € beside 1.200 €.
    """
    found: dict[str, pa.Array] = {}
    marks: dict[str, list[str]] = {}
    for name in frame.columns:
        cells = None if name in text else _texts(frame[name])
        sign = None if cells is None else _sign(cells)
        if sign is not None:
            found[name] = _without(sign, cells)
            if sign != "%":
                _refuse_unclear(f"{source}: column {brief(name)}", found[name])
            marks.setdefault(f"the sign {sign}", []).append(name)
    if not found:
        return frame, {}
    table, commas = with_points(source, pa.table(found), ",", ())
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


def _refuse_unclear(column: str, cells: pa.Array) -> None:
    """Raises UsageError if all points may stand at thousands, and other cells have none."""
    words = cells.unique().drop_null()
    points = pc.match_substring(words, ".")
    pointed, whole = words.filter(points), words.filter(pc.invert(points))
    whole = whole.filter(pc.match_substring_regex(whole, r"\d"))
    if not len(pointed) or not len(whole) or pc.any(pc.match_substring(words, ",")).as_py():
        return
    if pc.all(pc.match_substring_regex(pointed, _THOUSANDS)).as_py():
        one, other = brief(pointed[0].as_py()), brief(whole[0].as_py())
        raise UsageError(
            f"{column}: is the point in {one} a decimal point, or at thousands? Beside {other} it "
            "may be either. Write these numbers without points."
        )
