"""The times at which outcomes were recorded; they are shown, and no result depends on them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import Any

from xortune.ledger.queries import sealed_count
from xortune.ledger.rows import Damage, is_sealed, sealed

_LATEST = 32_503_680_000.0  # the year 3000, which Python's dates can hold


def finish_rows(numbers: Iterable[int]) -> list[tuple[Any, ...]]:
    """Rows that say that the outcomes of these trials are recorded now."""
    now = time.time()
    return [sealed((number, now)) for number in numbers]


def write_finish(connection: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """Writes rows; a trial whose outcome is replaced gets the later time."""
    connection.executemany("INSERT OR REPLACE INTO finish VALUES (?, ?, ?)", rows)


def read_finish(connection: sqlite3.Connection) -> dict[int, float]:
    """Seconds since 1970 by the numbers of trials, as far as they are recorded.

    Raises:
        Damage: a row is not as it was written, or is impossible.
    """
    # The schema has been checked; earlier ledgers lack the table.
    named = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'finish'"
    temporary = named.replace("sqlite_master", "sqlite_temp_master")  # of version 2, converted
    if not (connection.execute(named).fetchone() or connection.execute(temporary).fetchone()):
        return {}
    trials, found = sealed_count(connection, "trials"), {}
    for row in connection.execute("SELECT number, recorded, digest FROM finish NOT INDEXED"):
        number, recorded = row[:2]
        if not is_sealed(row, number) or type(number) is not int or not 0 <= number < trials:
            raise Damage("a time at which a trial was recorded is not as it was written")
        if type(recorded) is not float or not 0 <= recorded <= _LATEST:
            raise Damage(f"the time at which trial {number} was recorded is impossible")
        found[number] = recorded
    return found
