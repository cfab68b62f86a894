"""CSV files as DataFrames: the separator, the header and the decimal mark are found out."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from xortune.errors import UsageError
from xortune.problems.table.cells import is_number, row_number
from xortune.problems.table.csv_faults import fault_of, line_of, not_utf8, wrong_row
from xortune.problems.table.decimals import Marks, with_points
from xortune.problems.table.memory import refuse_too_large
from xortune.problems.table.names import listed, refuse_repeated
from xortune.problems.table.parquet_files import frame_of

SEPARATORS = (",", ";", "\t", "|")
_SAMPLE = 2**22  # bytes: for headers of very many columns, too
_SAMPLE_ROWS = 200
_BLOCK = 2**22  # bytes; a row must fit into one
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Shape(NamedTuple):
    """What the beginning of a CSV file says about all of it."""

    separator: str
    names: tuple[str, ...]  # as they stand in the header
    row_bytes: float  # of a row, on average


def read_csv(path: Path, text: Collection[str] = ()) -> tuple[pd.DataFrame, Marks]:
    """The rows of a CSV file, and the columns whose numbers have commas, by the commas' meaning.

    Args:
        path: the file, UTF-8; .gz and .bz2 are unpacked.
        text: columns whose cells are text even if all look like numbers.

    Raises:
        UsageError: it is empty, has no header, one name twice or rows of different lengths, is in
            another encoding, or too large for memory.
    """
    try:
        shape = _shape(path)
        names = _column_names(shape.names)
        _check_header(path.name, names)
        size = _unpacked_size(path)
        refuse_too_large(path.name, round(size / shape.row_bytes), len(names))
        table = _parsed(path, shape, [r for r, name in zip(shape.names, names) if name in text])
        table = table.rename_columns(list(names))
    except (OSError, EOFError, pa.ArrowException) as error:  # Damaged archives raise these.
        raise UsageError(fault_of(path, error)) from None
    if any(pa.types.is_binary(field.type) for field in table.schema):
        raise UsageError(not_utf8(path))
    table, notes = with_points(path.name, table, shape.separator, text)
    return frame_of(table), notes


def line_of_row(path: Path, row: int) -> str:
    """The place of a row of data, from 0, as in `line 8`: its last line, where the header is 1."""
    line = line_of(path, _shape(path).separator, row + 1)
    return row_number(row) if line is None else f"line {line:,}"


def _shape(path: Path) -> Shape:
    """What the first megabytes say; raises UsageError if they are not a text of rows."""
    with pa.input_stream(str(path)) as stream:
        head = stream.read(_SAMPLE)
    if head.startswith(_WIDE_MARKS) or b"\0" in head:
        raise UsageError(not_utf8(path))
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        raise UsageError(not_utf8(path)) from None
    if not text.strip():
        raise UsageError(f"{path.name} is empty.")
    complete = len(head) < _SAMPLE
    separator = max(SEPARATORS, key=lambda candidate: _fitness(text, candidate, complete))
    rows = _rows(text, separator, complete)
    if not rows:
        raise UsageError(f"{path.name}: its first line is too long to be a header of columns.")
    return Shape(separator, tuple(rows[0]), len(head) / max(1, _lines(text)))


def _fitness(text: str, separator: str, complete: bool) -> tuple[float, int]:
    """How well a separator cuts the rows into as many cells as the header: equal is better."""
    rows = _rows(text, separator, complete)
    width = len(rows[0]) if rows else 0
    if width < 2:
        return 0.0, 0
    return sum(len(row) == width for row in rows) / len(rows), width


def _rows(text: str, separator: str, complete: bool) -> list[list[str]]:
    """The first rows that are not empty, without one that may be cut off."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            rows += [row] if row else []
            if len(rows) > _SAMPLE_ROWS:
                return rows
    except csv.Error:  # A cell is too long.
        return rows
    return rows if complete else rows[:-1]


def _lines(text: str) -> int:
    return max(text.count("\n"), text.count("\r"))


def _column_names(header: Sequence[str]) -> tuple[str, ...]:
    """The names without spaces around them; a column without one is named by its place."""
    return tuple(name.strip() or f"column {i}" for i, name in enumerate(header, start=1))


def _check_header(file: str, names: Sequence[str]) -> None:
    """Raises UsageError for a header of numbers, or one that has a name twice."""
    if all(map(is_number, names)):
        raise UsageError(
            f"{file} has no header: its first line is {listed(names, 4)}. Put a line with the "
            "names of the columns before it."
        )
    refuse_repeated(file, names)


def _unpacked_size(path: Path) -> int:
    """The bytes of the text; of a packed file, an estimate."""
    size = path.stat().st_size
    if path.suffix.lower() == ".gz":
        with path.open("rb") as file:
            file.seek(-4, io.SEEK_END)
            # The last four bytes are the size modulo 2**32: RFC 1952, section 2.3.1.
            return max(size, int.from_bytes(file.read(4), "little"))
    return size * 5 if path.suffix.lower() == ".bz2" else size


def _parsed(path: Path, shape: Shape, text: Sequence[str]) -> pa.Table:
    """The table, with types that fit whole columns; raises UsageError for a row that does not."""
    try:
        return pa_csv.read_csv(
            str(path),
            read_options=pa_csv.ReadOptions(block_size=_BLOCK),
            parse_options=pa_csv.ParseOptions(delimiter=shape.separator, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                null_values=[""], column_types=dict.fromkeys(text, pa.string())
            ),
        )
    except UnicodeDecodeError:
        raise UsageError(not_utf8(path)) from None
    except pa.ArrowInvalid as error:
        wrong = wrong_row(path, shape.separator)
        raise UsageError(wrong or fault_of(path, error)) from None
