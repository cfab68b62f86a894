"""The report: ranked trials as a DataFrame, files and text."""

from xortune.report.formats import as_csv, as_json, as_markdown, plain_rows
from xortune.report.frame import (
    UNREPEATABLE,
    BestTrial,
    columns,
    curve_frame,
    tabulate,
    trials_frame,
    write_tables,
)
from xortune.report.summary import summarise, summarise_time

__all__ = [
    "BestTrial",
    "UNREPEATABLE",
    "as_csv",
    "as_json",
    "as_markdown",
    "columns",
    "curve_frame",
    "plain_rows",
    "summarise",
    "summarise_time",
    "tabulate",
    "trials_frame",
    "write_tables",
]
