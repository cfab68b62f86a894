"""The report as text for machines and for documents."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from xortune.escaping import csv_cell, json_text, markdown_cell


def as_csv(frame: pd.DataFrame) -> str:
    """A line a trial, with all columns and digits. No text can pass for a formula."""
    texts = {name: _cells(frame[name]) for name in frame.columns if frame[name].dtype == "string"}
    text: str = frame.assign(**texts).to_csv(index=False, lineterminator="\n")
    return text


def _cells(column: pd.Series) -> pd.Series:
    """A column of text, escaped for a CSV file."""
    cells = {text: csv_cell(text) for text in column.dropna().unique()}
    return column.map(cells, na_action="ignore")


def as_json(study: Mapping[str, Any], summary: Mapping[str, Any], frame: pd.DataFrame) -> str:
    """One object: `study`, `summary`, and `trials`, a list of rows; missing values are null."""
    report = {"study": study, "summary": summary, "trials": plain_rows(frame)}
    return json_text(json.dumps(report, indent=2, allow_nan=False)) + "\n"


def as_markdown(frame: pd.DataFrame) -> str:
    """A table of all columns."""
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + " --- |" * len(frame.columns)]
    for row in plain_rows(frame):
        lines.append("| " + " | ".join(_cell(value) for value in row.values()) + " |")
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    return "" if value is None else markdown_cell(str(value))


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as Python values; None for those that are missing, NaN or infinite."""
    columns = {name: [_plain(value) for value in frame[name]] for name in frame.columns}
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
