"""Changing a ledger as someone does who knows how it is sealed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from xortune.ledger.rows import digest
from xortune.ledger.weight_rows import weight_row


def forge(folder: Path, *statements: str | tuple[str, Sequence[Any]]) -> None:
    """Runs statements on a study's ledger, and makes all digests and counts right again."""
    with closing(sqlite3.connect(folder / "study.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            sql, values = (statement, ()) if isinstance(statement, str) else statement
            connection.execute(sql, values)
        for number, points in connection.execute("SELECT number, points FROM curve").fetchall():
            if isinstance(points, bytes):
                new = (digest(points), number)
                connection.execute(
                    "UPDATE trial SET curve = ? WHERE number = ? AND typeof(curve) = 'integer'", new
                )
        for row in connection.execute("SELECT number, layout, content FROM weight").fetchall():
            if isinstance(row[2], bytes):
                new = (weight_row(*row)[-1], row[0])
                connection.execute("UPDATE weight SET digest = ? WHERE number = ?", new)
        for table in ("trial", "layout", "run"):
            for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                new = (digest(row[:-1]), row[0])
                connection.execute(f"UPDATE {table} SET digest = ? WHERE number = ?", new)
        _reseal(connection, "replicate", ("trial", "replicate"))
        _reseal(connection, "paused", ("trial", "replicate", "name"))
        settings = connection.execute("SELECT * FROM setting ORDER BY key LIMIT 100").fetchall()
        connection.execute(
            "UPDATE seal SET settings = ?, trials = (SELECT count(*) FROM trial),"
            " weights = (SELECT count(*) FROM weight), runs = (SELECT count(*) FROM run),"
            " replicates = (SELECT count(*) FROM replicate),"
            " paused = (SELECT count(*) FROM paused)",
            (digest(settings),),
        )


def _reseal(connection: sqlite3.Connection, table: str, keys: Sequence[str]) -> None:
    """Makes the digests of a table's rows right; its contents are hashed as bytes."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
        return
    where = " AND ".join(f"{key} = ?" for key in keys)
    cursor = connection.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description]
    for row in cursor.fetchall():
        *head, last, _ = row
        is_content = table == "paused" and isinstance(last, bytes)
        sealed = ascii(tuple(head)).encode() + last if is_content else row[:-1]
        values = (digest(sealed), *(row[names.index(key)] for key in keys))
        connection.execute(f"UPDATE {table} SET digest = ? WHERE {where}", values)
