"""What is wrong with a CSV file, found by reading it once more line by line."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from pathlib import Path

import pyarrow as pa

from xortune.escaping import shell_word

_BLOCK = 2**20


def not_utf8(path: Path) -> str:
    """The fault of a file in another encoding: where it shows, and how to convert the file."""
    with pa.input_stream(str(path)) as stream:
        mark = stream.read(4)
    wide = mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    line, byte = (0, 0) if wide else _first_other(path)
    if not wide and line == 0:
        return f"{path.name} is not a text file: it has null bytes. Save the table as CSV, UTF-8."
    encoding = "UTF-16" if wide else "ISO-8859-1"
    place = "it is UTF-16" if wide else f"line {line:,} has the byte 0x{byte:02x}"
    new = f"{path.name.split('.')[0]}-utf8.csv"
    return (
        f"{path.name} is not encoded in UTF-8: {place}. Save it as CSV UTF-8, or convert it: "
        f"iconv -f {encoding} -t UTF-8 {shell_word(path.name)} > {shell_word(new)}"
    )


def line_of(path: Path, separator: str, row: int) -> int | None:
    """The last line of a row, both from 1, where the header is row 0; None if it is not found."""
    with pa.input_stream(str(path)) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
        reader = csv.reader(text, delimiter=separator)
        try:
            filled = (reader.line_num for cells in reader if cells)
            return next(itertools.islice(filled, row, None), None)
        except csv.Error:  # A cell is too long.
            return None


def wrong_row(path: Path, separator: str) -> str | None:
    """The fault of the first row that has more or fewer cells than the header; None without."""
    with pa.input_stream(str(path)) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
        reader = csv.reader(text, delimiter=separator)
        width = None
        try:
            for row in reader:
                if row and width is None:
                    width = len(row)
                if row and len(row) != width:
                    return (
                        f"{path.name}: line {reader.line_num:,} has {len(row)} cells, but the "
                        f"header has {width}. Correct the line, or put cells that hold "
                        f"{separator!r} into double quotes."
                    )
        except csv.Error as error:
            return f"{path.name}: line {reader.line_num:,}: {error}."
    return None


def fault_of(path: Path, error: Exception) -> str:
    """The fault of a file that the parser or the archive's reader refuses."""
    reason = str(error).strip().split("\n")[0][:200]
    return f"{path.name} cannot be read as CSV: {reason}"


def _first_other(path: Path) -> tuple[int, int]:
    """The line, from 1, and the value of the first byte that is not UTF-8; zeros without one."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with pa.input_stream(str(path)) as stream:
        while True:
            block = stream.read(_BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                at = error.start
                return line + error.object[:at].count(b"\n"), error.object[at]
            line += block.count(b"\n")
            if not block:
                return 0, 0
