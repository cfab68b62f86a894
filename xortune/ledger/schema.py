"""The ledger's own tables, and checks of what other programs put beside them.

Tools add statistics, views, indexes and tables to a file that they open. Those are never read
here and are left alone. Anything that changes our tables, or would run when trials are written,
is refused.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from xortune.errors import UsageError
from xortune.escaping import shell_word
from xortune.ledger.faults import damaged, tame
from xortune.paths import StudyPaths

VERSION = 3
SCHEMA = (
    """CREATE TABLE seal (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    settings INTEGER NOT NULL,  -- their digest
    trials INTEGER NOT NULL,  -- how many rows there are
    weights INTEGER NOT NULL,
    replicates INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    runs INTEGER NOT NULL
)""",
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE trial (
    number INTEGER PRIMARY KEY,  -- from 0, without a gap
    generation INTEGER NOT NULL,
    parameters TEXT NOT NULL,  -- a JSON object, in the spec's order
    state TEXT NOT NULL,
    metrics TEXT,  -- likewise
    duration_s REAL, worker TEXT, error TEXT,
    curve INTEGER,  -- the digest of its points
    digest INTEGER NOT NULL  -- of the other columns, in this order
)""",
    """CREATE TABLE curve (
    number INTEGER PRIMARY KEY REFERENCES trial (number),
    points BLOB NOT NULL  -- epochs as int64, then each of the spec's series as float64
)""",
    """CREATE TABLE layout (
    number INTEGER PRIMARY KEY,  -- from 0, without a gap
    content TEXT NOT NULL,  -- each once. A JSON list: the name and the shape of every array
    digest INTEGER NOT NULL
)""",
    """CREATE TABLE weight (
    number INTEGER PRIMARY KEY REFERENCES trial (number),
    layout INTEGER NOT NULL REFERENCES layout (number),
    content BLOB NOT NULL,  -- every array as float32, rows first
    digest INTEGER NOT NULL
)""",
    # Several trainings of one trial, which differ in seed or fold.
    """CREATE TABLE replicate (
    trial INTEGER NOT NULL REFERENCES trial (number),
    replicate INTEGER NOT NULL,
    state TEXT NOT NULL,
    metrics TEXT, duration_s REAL, error TEXT,
    digest INTEGER NOT NULL,
    PRIMARY KEY (trial, replicate)
) WITHOUT ROWID""",
    # Trials paused at a rung: the outcome of each replicate so far, and what an engine needs to
    # continue it.
    """CREATE TABLE paused (
    trial INTEGER NOT NULL REFERENCES trial (number),
    replicate INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    name TEXT NOT NULL,
    dtype TEXT NOT NULL,  -- as NumPy writes it, such as <f4
    shape TEXT NOT NULL,  -- a JSON list
    content BLOB NOT NULL,
    digest INTEGER NOT NULL,
    PRIMARY KEY (trial, replicate, name)
)""",
    """CREATE TABLE run (
    number INTEGER PRIMARY KEY,  -- from 0, without a gap
    wall REAL, start_up REAL, sampler REAL, writing REAL,
    workers INTEGER, training REAL, queue REAL, idle REAL,  -- seconds
    digest INTEGER NOT NULL
)""",
    # No result depends on it, and earlier ledgers of this version lack it: the first write adds it.
    """CREATE TABLE finish (
    number INTEGER PRIMARY KEY REFERENCES trial (number),
    recorded REAL NOT NULL,  -- when the trial's outcome was, in seconds since 1970
    digest INTEGER NOT NULL
)""",
)
TABLES = {sql.split()[2]: sql for sql in SCHEMA}
ADDED = ("finish",)  # the tables that a ledger of this version may lack
# Optuna, for comparison, adds forty tables and indexes.
_MOST_OBJECTS = 1000
_PLAIN_COLLATIONS = ("BINARY", "NOCASE", "RTRIM")
_GENERATED = (2, 3)  # as PRAGMA table_xinfo marks a virtual and a stored column


class _Object(NamedTuple):
    """A row of the schema: the declared kind, and the statement that SQLite obeys."""

    kind: str
    name: str
    sql: str | None


def check_schema(
    paths: StudyPaths, connection: sqlite3.Connection, ours: Mapping[str, str] = TABLES
) -> None:
    """Checks that the tables are ours, and that nothing else in the file can act on them.

    `ours` holds the statement of each table of the ledger's version. Raises a UsageError that
    names the fault and the remedy.
    """
    query = "SELECT type, name, sql FROM sqlite_master LIMIT ?"
    rows = connection.execute(query, (_MOST_OBJECTS + 1,)).fetchall()
    if len(rows) > _MOST_OBJECTS:
        raise UsageError(
            f"{paths.ledger} holds more than {_MOST_OBJECTS} tables, indexes and views, most of "
            "them not xortune's. Remove those, or restore it from a copy."
        )
    objects = [_Object(*row) for row in rows]
    for found in objects:
        _check_object(paths, found)
    tables = {found.name: found.sql for found in objects if found.kind == "table"}
    for name, sql in ours.items():
        if name not in tables:
            if name in ADDED:
                continue
            raise UsageError(
                f"{paths.ledger} has no table {name}: another program removed or renamed it. "
                "Restore it from a copy."
            )
        if tables[name] != sql:
            raise UsageError(
                f"{paths.ledger} has a table {name} that is not as xortune created it: another "
                "program changed it, for example by adding a column. Restore it from a copy."
            )
        _check_indexes(paths, connection, name)
    for name in tables.keys() - ours.keys():
        _check_columns(paths, connection, name)


def add_missing(connection: sqlite3.Connection) -> bool:
    """Creates the tables that an earlier ledger of this version lacks; whether there were any."""
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    missing = [name for name in ADDED if name not in names]
    for name in missing:
        connection.execute(TABLES[name])
    return bool(missing)


def has_others(connection: sqlite3.Connection, ours: Mapping[str, str]) -> bool:
    """Whether there are tables of other programs, in a schema that has been checked."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return any(name not in ours for (name,) in names)


def _check_object(paths: StudyPaths, found: _Object) -> None:
    """Refuses an object whose statement does not match its kind: SQLite obeys the statement."""
    kind, name, sql = found
    if not isinstance(name, str) or not (sql is None or isinstance(sql, str)):
        raise damaged(paths, "its schema holds values that are not text")
    if kind == "trigger":
        raise _refused(paths, "a trigger", name, "it changes the study as trials are written")
    if kind == "table" and sql is not None and sql.startswith("CREATE VIRTUAL "):
        raise _refused(paths, "a virtual table", name, "reading the file may run its code")
    plain = {
        "table": sql is not None and _begins(sql, "CREATE TABLE ", name),
        "view": sql is not None and _begins(sql, "CREATE VIEW ", name),
        "index": sql is None or sql.startswith(("CREATE INDEX ", "CREATE UNIQUE INDEX ")),
    }
    if not plain.get(kind, False):
        raise damaged(paths, f"its schema misdescribes {name}")


def _begins(sql: str, words: str, name: str) -> bool:
    """Whether a statement begins as SQLite records it for an object of that name."""
    if not sql.startswith(words):
        return False
    rest = sql[len(words) :]
    escaped = name.replace('"', '""')
    quoted = (f'"{escaped}"', f"[{name}]", f"`{name}`", f"'{name}'")
    return rest.startswith(quoted) or bool(re.match(rf"{re.escape(name)}(?![\w$])", rest))


def _check_indexes(paths: StudyPaths, connection: sqlite3.Connection, table: str) -> None:
    """Refuses an index on our table that restricts or computes what is written.

    Other indexes only cost a little time, since our queries use none.
    """
    for _, name, unique, origin, partial in _pragma(connection, "index_list", table):
        if origin != "c":
            continue  # It is part of the table's own statement.
        columns = [row for row in _pragma(connection, "index_xinfo", name) if row[5]]
        plain = all(row[1] >= -1 and row[4] in _PLAIN_COLLATIONS for row in columns)
        if unique or partial or not plain:
            kind = "unique" if unique else "partial" if partial else "computed"
            reason = f"it restricts or computes what is written to table {table}"
            raise _refused(paths, f"a {kind} index", name, reason)


def _check_columns(paths: StudyPaths, connection: sqlite3.Connection, table: str) -> None:
    """Refuses a table with computed columns: checking the file would compute them."""
    columns = list(_pragma(connection, "table_xinfo", table))
    if not columns:
        raise damaged(paths, f"its schema misdescribes {table}")
    if any(column[6] in _GENERATED for column in columns):
        what = "a table with computed columns"
        raise _refused(paths, what, table, "checking the file would compute them")


def _pragma(connection: sqlite3.Connection, name: str, argument: str) -> list[tuple[Any, ...]]:
    # Not the pragma's function, whose name another program's table or view may have.
    quoted = argument.replace('"', '""')
    return connection.execute(f'PRAGMA main.{name}("{quoted}")').fetchall()


def _refused(paths: StudyPaths, what: str, name: str, reason: str) -> UsageError:
    kind = what.split()[-1] if what.endswith(("trigger", "index")) else "table"
    remedy = f"DROP {kind.upper()}"
    how = f"Remove it with SQLite's {remedy}."
    if re.fullmatch(r"[A-Za-z_]\w{0,60}", name, re.ASCII):
        how = f"Remove it: sqlite3 {shell_word(str(paths.ledger))} '{remedy} {name}'"
    what = f"{what} that is not xortune's, {tame(name)}"
    return UsageError(f"{paths.ledger} holds {what}: {reason}. {how}")
