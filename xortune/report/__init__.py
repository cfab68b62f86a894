"""The report: trials ranked by final loss, as a DataFrame, files and text."""

from xortune.report.best import BestTrial
from xortune.report.formats import as_csv, as_json, as_markdown, plain_rows
from xortune.report.frame import (
    COLUMNS,
    UNREPEATABLE,
    curve_frame,
    tabulate,
    trials_frame,
    write_tables,
)
from xortune.report.summary import summarise, summarise_time

__all__ = [
    "COLUMNS",
    "BestTrial",
    "UNREPEATABLE",
    "as_csv",
    "as_json",
    "as_markdown",
    "curve_frame",
    "plain_rows",
    "summarise",
    "summarise_time",
    "tabulate",
    "trials_frame",
    "write_tables",
]
