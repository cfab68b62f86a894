"""The studies of a results folder as a DataFrame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

_DTYPES = {"finished": "Int64", "trials": "Int64", "best": "float64"}
_COLUMNS = (
    "name", "folder", "problem", "state", "finished", "trials", "objective", "direction", "best",
    "changed", "error",
)  # fmt: skip


def listing_frame(studies: Iterable[Any]) -> pd.DataFrame:
    """One row per study, with the attributes of `Listed`; `changed` as ISO 8601, in UTC."""
    rows = [{name: getattr(one, name) for name in _COLUMNS} for one in studies]
    for row in rows:
        row["folder"] = str(row["folder"])
        row["changed"] = row["changed"].isoformat(timespec="seconds")
    return pd.DataFrame(
        {
            name: pd.Series([row[name] for row in rows], dtype=_DTYPES.get(name, "string"))
            for name in _COLUMNS
        }
    )
