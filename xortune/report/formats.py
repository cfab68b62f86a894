"""The report as text for machines and for documents."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from xortune.escaping import csv_cell, json_text, markdown_cell


def as_csv(frame: pd.DataFrame) -> str:
    """One line per trial, with all columns and digits. Text never reads as a formula."""
    escaped = {}
    for name in frame.columns:
        if (column := frame[name]).dtype == "string":
            cells = {text: csv_cell(text) for text in column.dropna().unique()}
            escaped[name] = column.map(cells, na_action="ignore")
    text: str = frame.assign(**escaped).to_csv(index=False, lineterminator="\n")
    return text


def as_json(study: Mapping[str, Any], summary: Mapping[str, Any], frame: pd.DataFrame) -> str:
    """One object: `study`, `summary`, and `trials`, a list of rows; missing values are null."""
    report = {"study": study, "summary": summary, "trials": plain_rows(frame)}
    return json_text(json.dumps(report, indent=2, allow_nan=False)) + "\n"


def rows_as_json(frame: pd.DataFrame) -> str:
    """A list of rows; missing values are null."""
    return json_text(json.dumps(plain_rows(frame), indent=2, allow_nan=False)) + "\n"


def as_markdown(frame: pd.DataFrame) -> str:
    """A table of all columns."""
    lines = ["| " + " | ".join(frame.columns) + " |", "|" + " --- |" * len(frame.columns)]
    for row in plain_rows(frame):
        cells = ("" if value is None else markdown_cell(str(value)) for value in row.values())
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as Python values; None for missing, NaN and infinite ones."""
    columns = {name: [_plain(value) for value in frame[name]] for name in frame.columns}
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
