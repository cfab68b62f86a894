"""The times at which outcomes were recorded; they are shown, and no result depends on them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import Any

from xortune.ledger.rows import Damage, is_sealed, sealed

_LATEST = 32_503_680_000.0  # the year 3000, which Python's dates can hold


def finish_rows(numbers: Iterable[int]) -> list[tuple[Any, ...]]:
    """Rows that say that the outcomes of these trials are recorded now.

    None if the clock is far off: then the times are not known.
    """
    now = time.time()
    return [] if not _is_possible(now) else [sealed((number, now)) for number in numbers]


def write_finish(connection: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """Writes rows; a trial whose outcome is replaced gets the later time."""
    connection.executemany("INSERT OR REPLACE INTO finish VALUES (?, ?, ?)", rows)


def read_finish(connection: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, float]:
    """Seconds since 1970 by the numbers of trials, for those of these that have a time.

    Raises:
        Damage: a row is not as it was written, or is impossible.
    """
    # The schema has been checked; earlier ledgers lack the table.
    named = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'finish'"
    temporary = named.replace("sqlite_master", "sqlite_temp_master")  # of version 2, converted
    if not (connection.execute(named).fetchone() or connection.execute(temporary).fetchone()):
        return {}
    query = "SELECT number, recorded, digest FROM finish NOT INDEXED WHERE number = ?"
    found = {}
    for number in numbers:
        row = connection.execute(query, (number,)).fetchone()
        if row is None:
            continue
        if not is_sealed(row, number):
            raise Damage(f"the time at which trial {number} was recorded is not as it was written")
        if type(row[1]) is not float or not _is_possible(row[1]):
            raise Damage(f"the time at which trial {number} was recorded is impossible")
        found[number] = row[1]
    return found


def _is_possible(moment: float) -> bool:
    return 0 <= moment <= _LATEST
