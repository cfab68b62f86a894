"""Rows and columns of a table of trials, as a user asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from xortune.errors import UsageError
from xortune.report.where import check_condition, matches, parse_condition
from xortune.report.where.checks import Kind
from xortune.wording import did_you_mean, option

# A printed table calls the number of a trial so.
_ALIASES = {"trial": "number"}
_KINDS: dict[str, Kind] = {"string": "text", "boolean": "truth value", "bool": "truth value"}
_DIRECTIONS = ("asc", "desc")


def where(frame: pd.DataFrame, text: str) -> pd.DataFrame:
    """The rows that match a condition, in their order.

    A comparison with an empty cell is neither true nor false, so such a row matches neither the
    condition nor its opposite.

    Raises:
        UsageError: the text is not a condition, or does not fit the columns.

    Example:
        where(study.trials, "rate > 0.1 and state == 'COMPLETE'")
    """
    condition = parse_condition(text)
    kinds: dict[str, Kind] = {
        str(name): _KINDS.get(str(dtype), "number") for name, dtype in frame.dtypes.items()
    }
    values = {name: values_of(frame[name]) for name in kinds}
    for alias, name in _aliases(kinds).items():
        kinds[alias], values[alias] = kinds[name], values[name]
    check_condition(text, condition, kinds)
    return frame[matches(condition, values, len(frame))]


def values_of(column: pd.Series) -> list[Any]:
    """The values of a column as Python's own; None for an empty cell."""
    values: list[Any] = column.astype(object).where(column.notna(), None).tolist()
    return values


def sort(frame: pd.DataFrame, text: str) -> pd.DataFrame:
    """The rows in the order of one or more columns, such as `rate:desc,number`.

    Empty cells come last either way; rows that are equal keep their order.

    Raises:
        UsageError: a column does not exist, or a direction is neither `asc` nor `desc`.
    """
    keys, faults = [], []
    for part in text.split(","):
        name, _, direction = part.strip().partition(":")
        if (direction or "asc") not in _DIRECTIONS:
            hint = did_you_mean(direction, _DIRECTIONS)
            faults.append(f"{option('sort')} {part.strip()}: sorts by asc or desc.{hint}")
        keys.append((name, direction != "desc"))
    names, unknown = _known(frame, [name for name, _ in keys], "sort")
    if faults or unknown:
        raise UsageError("\n".join([*faults, *unknown]))
    # From the last key to the first, each of them stable.
    for name, (_, ascending) in reversed([*zip(names, keys)]):
        frame = frame.sort_values(name, ascending=ascending, kind="stable", na_position="last")
    return frame


def column_names(frame: pd.DataFrame, text: str, setting: str) -> list[str]:
    """The columns that a list such as `rate, kind` names, each once.

    Args:
        frame: the table.
        text: the list.
        setting: the setting that it was given for, for messages.

    Raises:
        UsageError: one or more of them do not exist.
    """
    names, unknown = _known(frame, [part.strip() for part in text.split(",")], setting)
    if unknown:
        raise UsageError("\n".join(unknown))
    return [*dict.fromkeys(names)]


def _known(frame: pd.DataFrame, names: Sequence[str], setting: str) -> tuple[list[str], list[str]]:
    """The names of columns, aliases replaced; and the faults of those that do not exist."""
    columns = [*map(str, frame.columns)]
    aliases = _aliases(columns)
    found = [aliases.get(name, name) for name in names]
    faults = []
    for name in found:
        if name not in columns:
            hint = did_you_mean(name, columns) or f" Columns: {', '.join(columns)}."
            faults.append(f"{option(setting)}: there is no column {name!r:.100}.{hint}")
    return found, faults


def _aliases(columns: Sequence[str] | dict[str, Kind]) -> dict[str, str]:
    return {
        alias: name for alias, name in _ALIASES.items() if alias not in columns and name in columns
    }
