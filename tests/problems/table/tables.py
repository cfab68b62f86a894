"""Tables that tests read: files, frames, and the message of one that is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from xortune.errors import UsageError
from xortune.problems.table.rows import Rows
from xortune.problems.table.table import Table, load_table


def lines(header: str, row: Callable[[int], str], count: int = 20) -> str:
    """A CSV text: a header, and a line for each number of a row."""
    return "".join(f"{line}\n" for line in (header, *map(row, range(count))))


def written(folder: Path, content: str | bytes, name: str = "wine.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(data: Any, target: str | None = "y", **settings: Any) -> str:
    """The message with which a table is refused."""
    with pytest.raises(UsageError) as raised:
        load_table(data, target, **settings)
    return str(raised.value)


def mixed_frame(count: int = 60) -> pd.DataFrame:
    """Numbers, some missing, text of few and of many values, truth values, dates, a constant."""
    draw = np.random.default_rng(5)
    age = draw.integers(18, 80, count).astype(float)
    age[::7] = np.nan
    return pd.DataFrame(
        {
            "height": draw.normal(170, 9, count),
            "age": age,
            "colour": draw.choice(["red", "green", "blue"], count),
            "town": [f"town {i % 13}" if i % 3 else "Ulm" for i in range(count)],
            "member": draw.random(count) < 0.5,
            "since": pd.date_range("2020-01-01", periods=count),
            "planet": "Earth",
            "weight": draw.normal(70, 5, count),
        }
    )


def same_rows(one: Rows, other: Rows) -> bool:
    """Whether both have the same bits."""
    pairs = list(zip(one, other))
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


def same_tables(one: Table, other: Table) -> bool:
    parts = ("training", "validation", "test")
    return one.digest == other.digest and all(
        same_rows(getattr(one, part), getattr(other, part)) for part in parts
    )
