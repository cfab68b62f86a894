"""Queries that several tables share."""

from __future__ import annotations

import sqlite3
from typing import Any

from xortune.ledger.rows import Damage
from xortune.ledger.trial_rows import ASKED, OUTCOME

TRIALS = f"SELECT {ASKED}, {OUTCOME} FROM trial NOT INDEXED"


def sealed_count(connection: sqlite3.Connection, column: str) -> int:
    """A number of the seal."""
    return sealed_counts(connection, column)[0]


def sealed_counts(connection: sqlite3.Connection, *columns: str) -> tuple[int, ...]:
    """Numbers of the seal; raises Damage if it is missing."""
    row: tuple[int, ...] | None = connection.execute(
        f"SELECT {', '.join(columns)} FROM seal NOT INDEXED WHERE only = 0"
    ).fetchone()
    if row is None or {*map(type, row)} != {int}:
        raise Damage("its seal is missing")
    return row


def check_count(connection: sqlite3.Connection, what: str, found: int) -> None:
    """Compares a number of rows with the one in the seal's column `what`."""
    expected = sealed_count(connection, what)
    if found != expected:
        raise Damage(f"it holds {found} {what}, but {expected} were recorded")


def count_more(connection: sqlite3.Connection, what: str, more: int) -> None:
    """Adds to the number of rows in the seal's column `what`."""
    connection.execute(f"UPDATE seal NOT INDEXED SET {what} = {what} + ?", (more,))


def trial_row(connection: sqlite3.Connection, number: int) -> tuple[Any, ...] | None:
    """`ASKED` and `OUTCOME` of a trial; None if it does not exist."""
    if not 0 <= number < sealed_count(connection, "trials"):
        return None
    query = f"{TRIALS} WHERE number = ?"
    row: tuple[Any, ...] | None = connection.execute(query, (number,)).fetchone()
    if row is None:
        raise Damage(f"trial {number} is missing")
    return row


def numbered_row(connection: sqlite3.Connection, table: str, number: int) -> tuple[Any, ...] | None:
    """A row of a table whose primary key is `number`; None if there is none."""
    query = f"SELECT * FROM {table} NOT INDEXED WHERE number = ?"
    row: tuple[Any, ...] | None = connection.execute(query, (number,)).fetchone()
    return row
