"""Parquet files as DataFrames."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from xortune.errors import UsageError
from xortune.problems.table.memory import refuse_too_large


def read_parquet(path: Path) -> pd.DataFrame:
    """The rows of a Parquet file; what pandas stored as an index is no column.

    Raises:
        UsageError: it is not a Parquet file, or too large for memory.
    """
    try:
        with pq.ParquetFile(path) as file:
            refuse_too_large(path.name, file.metadata.num_rows, file.metadata.num_columns)
            return frame_of(file.read())
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        reason = str(error).strip().split("\n")[0]
        raise UsageError(f"{path.name} cannot be read as a Parquet file: {reason}") from None


def frame_of(table: pa.Table) -> pd.DataFrame:
    """A frame of the same content; text stays where it is, and numbers are moved."""
    text = {pa.string(): pd.StringDtype("pyarrow"), pa.large_string(): pd.StringDtype("pyarrow")}
    frame: pd.DataFrame = table.to_pandas(
        types_mapper=text.get, date_as_object=False, split_blocks=True, self_destruct=True
    )
    return frame
