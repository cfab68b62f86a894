"""Reads a table: a file of a known kind, a DataFrame, or arrays. Nothing in it is executed."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.table.arrays import TARGET, frame_of_arrays, read_npz, read_pt
from xortune.problems.table.cells import Place, row_number
from xortune.problems.table.csv_files import line_of_row, read_csv
from xortune.problems.table.decimals import Marks
from xortune.problems.table.names import refuse_repeated
from xortune.problems.table.parquet_files import read_parquet
from xortune.problems.table.signs import without_signs

KINDS = "CSV (.csv, .tsv, .txt, also .gz), Parquet (.parquet, .pq), NumPy (.npz), PyTorch (.pt)"
_CSV = (".csv", ".tsv", ".txt", ".data")
_PACKED = (".gz", ".bz2")
_PARQUET = (".parquet", ".pq")


class Read(NamedTuple):
    """A table as it was read."""

    frame: pd.DataFrame  # its columns have different names, which are texts
    name: str  # the file's, or "data"
    target: str | None = None  # of arrays; None where columns have names
    marks: Marks = MappingProxyType({})  # the columns whose numbers have commas or signs
    place: Place = row_number  # of a row, for messages


def read_frame(data: Any, text: Collection[str] = ()) -> pd.DataFrame:
    """The rows of new data, for `Recipe.prepare`; arrays need no `y`.

    Args:
        data: as for `load_table`, or inputs alone: an array or tensor of shape `(n, d)`.
        text: columns whose cells are text even if all look like numbers.

    Raises:
        UsageError: the data cannot be read.
    """
    return read_table(data, text).frame


def read_table(data: Any, text: Collection[str] = ()) -> Read:
    """The table, its name, and the target of arrays; see `read_frame`."""
    if isinstance(data, (str, os.PathLike)):
        read = _read_file(Path(data), text)
    elif isinstance(data, pd.DataFrame):
        read = Read(data, "data")
    elif hasattr(data, "to_pandas"):  # Polars and PyArrow
        read = Read(data.to_pandas(), "data")
    elif isinstance(data, Mapping):
        read = Read(frame_of_arrays(data, "data"), "data", TARGET)
    elif isinstance(data, (tuple, list)) and len(data) == 2:
        read = _pair(*data)
    elif hasattr(data, "shape"):
        read = Read(frame_of_arrays({"X": data}, "data"), "data", TARGET)
    else:
        raise UsageError(
            f"data of type {type(data).__name__}: must be a path, a DataFrame, or a pair (X, y) of "
            "arrays or tensors."
        )
    frame, signs = without_signs(read.name, _named(read), text)
    marks = {
        mark: [*read.marks.get(mark, ()), *signs.get(mark, ())] for mark in {**read.marks, **signs}
    }
    return read._replace(frame=frame, marks=marks)


def _read_file(path: Path, text: Collection[str]) -> Read:
    check_file(path)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = suffixes[-1] if suffixes else ""
    if suffix in _PACKED and len(suffixes) > 1:
        suffix = suffixes[-2]
    elif suffix in _PACKED:
        suffix = ""
    if suffix in _CSV:
        frame, marks = read_csv(path, text)
        return Read(frame, path.name, None, marks, partial(line_of_row, path))
    if suffix in _PARQUET:
        return Read(read_parquet(path), path.name)
    arrays: Mapping[str, Callable[[Path], Mapping[str, Any]]]
    arrays = {".npz": read_npz, ".pt": read_pt, ".pth": read_pt}
    if suffix in arrays:
        return Read(frame_of_arrays(arrays[suffix](path), path.name), path.name, TARGET)
    remedy = " Save the sheet as CSV." if suffix in (".xls", ".xlsx", ".ods") else ""
    raise UsageError(f"{path}: its format is not known.{remedy} Tables are read from {KINDS}.")


def check_file(path: Path) -> None:
    """Raises UsageError if there is no such file, or it may not be read."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UsageError(f"{path} is not a file. Tables are read from {KINDS}.")
        with path.open("rb"):
            str(path).encode()
    except UnicodeEncodeError:
        raise UsageError(f"{path}: the name is not UTF-8. Rename the file.") from None
    except (OSError, ValueError) as error:  # ValueError: the path has a null character.
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path} cannot be read: {reason}.{_meant(path)}") from None


def _meant(path: Path) -> str:
    """A hint at a file with a similar name."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except (OSError, ValueError):
        return ""
    close = difflib.get_close_matches(path.name, [n for n in names if n != path.name], n=1)
    return f" Did you mean {brief(close[0])}?" if close else ""


def _pair(x: Any, y: Any) -> Read:
    """Inputs and targets; those of pandas keep their names."""
    if not isinstance(x, pd.DataFrame):
        return Read(frame_of_arrays({"X": x, "y": y}, "data"), "data", TARGET)
    if isinstance(y, pd.DataFrame) and y.shape[1] == 1:
        y = y.iloc[:, 0]
    name = str(y.name) if isinstance(y, pd.Series) and y.name is not None else TARGET
    values = y.array if isinstance(y, pd.Series) else frame_of_arrays({"y": y}, "data")[TARGET]
    if len(values) != len(x):
        raise UsageError(f"data: X has {len(x):,} rows, but y has {len(values):,}.")
    frame = x.reset_index(drop=True)
    if name in map(str, frame.columns):
        raise UsageError(f"data: the column {brief(name)} is in X, and y has the same name.")
    return Read(frame.assign(**{name: pd.Series(values)}), "data", name)


def _named(read: Read) -> pd.DataFrame:
    """The frame with texts as names of columns, and without an index.

    Raises:
        UsageError: it has no rows, or two columns of the same name.
    """
    frame = read.frame.reset_index(drop=True)
    frame.columns = pd.Index([str(name) for name in frame.columns], dtype=object)
    if not len(frame):
        raise UsageError(f"{read.name} has no rows.")
    refuse_repeated(read.name, frame.columns)
    return frame
