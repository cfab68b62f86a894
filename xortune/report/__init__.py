"""The report: ranked trials as a DataFrame, files and text."""

from xortune.report.confirmed import assignment, facts
from xortune.report.course import course
from xortune.report.formats import as_csv, as_json, as_markdown, plain_rows, rows_as_json
from xortune.report.frame import (
    UNREPEATABLE,
    BestTrial,
    columns,
    curve_frame,
    curves_frame,
    tabulate,
    trials_frame,
    write_tables,
)
from xortune.report.groups import grouped
from xortune.report.listing import listing_frame
from xortune.report.replicates import replicates_frame
from xortune.report.selection import column_names, sort, where
from xortune.report.summary import summarise, summarise_findings, summarise_time

__all__ = [
    "BestTrial",
    "UNREPEATABLE",
    "as_csv",
    "as_json",
    "as_markdown",
    "assignment",
    "column_names",
    "columns",
    "course",
    "curve_frame",
    "curves_frame",
    "facts",
    "grouped",
    "listing_frame",
    "plain_rows",
    "replicates_frame",
    "rows_as_json",
    "sort",
    "summarise",
    "summarise_findings",
    "summarise_time",
    "tabulate",
    "trials_frame",
    "where",
    "write_tables",
]
