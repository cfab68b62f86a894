"""Opening the ledger's file: only if it is ours to the letter, wherever it came from."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from pathlib import Path

from xortune.errors import UsageError
from xortune.paths import StudyPaths, not_begun

VERSION = 2
SCHEMA = (
    """CREATE TABLE seal (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    settings INTEGER NOT NULL,  -- their digest
    trials INTEGER NOT NULL,  -- how many rows there are
    runs INTEGER NOT NULL
)""",
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE trial (
    number INTEGER PRIMARY KEY,  -- from 0, without a gap
    generation INTEGER NOT NULL,
    lr REAL NOT NULL,
    epochs INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    loss_fn TEXT NOT NULL,
    state TEXT NOT NULL,
    train_loss REAL, mse REAL, bce REAL, accuracy REAL,
    weights TEXT,  -- a JSON list of nine numbers, in the order of state_dict()
    duration_s REAL, worker TEXT, error TEXT,
    curve INTEGER,  -- the digest of its points
    digest INTEGER NOT NULL  -- of the other columns, in this order
)""",
    """CREATE TABLE curve (
    number INTEGER PRIMARY KEY REFERENCES trial (number),
    points BLOB NOT NULL  -- epochs as int64, training and validation as float64
)""",
    """CREATE TABLE run (
    number INTEGER PRIMARY KEY,  -- from 0, without a gap
    wall REAL, start_up REAL, sampler REAL, writing REAL,
    workers INTEGER, training REAL, queue REAL, idle REAL,  -- seconds
    digest INTEGER NOT NULL
)""",
)
# Damage also makes SQLite quote bytes that are no text, and ask for memory without measure.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError, MemoryError)
_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_LONGEST_VALUE = 2**28
# Reading the schema takes some hundred steps; pages that refer to each other take for ever.
_SCHEMA_STEPS = 1_000_000
# A journal that ends in this names a further file, which SQLite would delete.
_SUPER_JOURNAL = bytes.fromhex("d9d505f920a163d7")


def connect(paths: StudyPaths) -> sqlite3.Connection:
    """A connection to an existing file that trusts nothing in it.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    uri = f"{paths.ledger.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, timeout=30, isolation_level=None, uri=True)
    if sys.version_info >= (3, 11):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
    connection.set_progress_handler(lambda: 1, _SCHEMA_STEPS)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    # A rollback journal, not WAL: the study stays one file, which can be read from a
    # read-only folder. EXTRA also makes the journal's removal, which is the commit, durable.
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = EXTRA")
    connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    connection.set_progress_handler(None, 0)
    return connection


def checked(paths: StudyPaths) -> sqlite3.Connection:
    """A connection to an existing ledger of this version, whose schema is ours.

    Raises:
        UsageError: there is none; says what can be done.
    """
    _check_files(paths)
    connection = None
    try:
        connection = connect(paths)
        _check_version(paths, connection)
        schema = connection.execute("SELECT sql FROM sqlite_master LIMIT 9").fetchall()
        if schema != [(table,) for table in SCHEMA]:
            raise damaged(paths, "its tables are not those of a study")
        return connection
    except SQLITE_ERRORS as error:
        fault = unreadable(paths, error)
    except UsageError as error:
        fault = error
    if connection is not None:
        connection.close()
    raise fault


def check_pages(paths: StudyPaths, connection: sqlite3.Connection) -> None:
    """Checks that no page is lost or counted twice: writing would make it worse.

    Raises:
        UsageError: there is one.
    """
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except SQLITE_ERRORS as error:
        raise unreadable(paths, error) from error
    if found != "ok":
        raise damaged(paths, found)


def damaged(paths: StudyPaths, reason: object) -> UsageError:
    """What to say of a damaged ledger."""
    tables = [path for path in (paths.trials_csv, paths.trials_parquet) if path.is_file()]
    still = (
        f" Until then {' and '.join(path.name for path in tables)} beside it "
        f"still {'hold' if len(tables) > 1 else 'holds'} the table as it was written last."
        if tables
        else ""
    )
    return UsageError(f"{paths.ledger} is damaged: {_tame(reason)}. Restore it from a copy.{still}")


def unreadable(paths: StudyPaths, error: Exception) -> UsageError:
    """What to say where SQLite cannot read the ledger."""
    if isinstance(error, MemoryError):
        return damaged(paths, "reading it takes more memory than there is")
    if type(error) is not sqlite3.OperationalError or "decode" in str(error):
        return damaged(paths, error)
    if "locked" in str(error):
        return UsageError(
            f"{paths.ledger} is being written, for longer than usual: has its driver been "
            "stopped? Try again when that goes on, or end it."
        )
    return UsageError(
        f"{paths.ledger} cannot be read: {_tame(error)}. Restore access to it and to its "
        "folder, or restore it from a copy."
    )


def no_link(file: Path) -> None:
    """Checks that a file, if it is there, is one: neither a link nor a pipe.

    Raises:
        UsageError: it is something else.
    """
    try:
        mode = file.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}. Restore access.") from None
    if not stat.S_ISREG(mode):
        raise UsageError(
            f"{file} is {'a link' if stat.S_ISLNK(mode) else 'no file'}, and a study reads and "
            "writes files of its own only. Put the file itself in its place, or remove it."
        )


def _check_files(paths: StudyPaths) -> None:
    no_link(paths.ledger)
    no_link(paths.journal)
    for ending in ("-wal", "-shm"):
        extra = paths.ledger.with_name(f"{paths.ledger.name}{ending}")
        if os.path.lexists(extra):
            raise UsageError(
                f"{extra} belongs to no study: SQLite would take it for a part of "
                f"{paths.ledger.name}. Remove it, or restore the study from a copy."
            )
    try:
        with paths.ledger.open("rb") as file:
            header = file.read(_HEADER)
        # The first page is zero until the first transaction has committed.
        if not header or (not header.strip(b"\0") and paths.journal.exists()):
            raise _empty(paths)
        # 1 and 1: a rollback journal; 2 would have SQLite make further files.
        if header[:16] != _MAGIC or header[18:20] != b"\1\1" or len(header) < _HEADER:
            raise UsageError(
                f"{paths.ledger} is no ledger of a study: its first bytes are not those of one. "
                "Restore it from a copy."
            )
        with paths.journal.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - len(_SUPER_JOURNAL), 0))
            if file.read() == _SUPER_JOURNAL:
                raise UsageError(
                    f"{paths.journal} is none of xortune's: it would have another file deleted. "
                    "Restore the study from a copy."
                )
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UsageError(
            f"{paths.ledger} cannot be read: {error.strerror}. Restore access to it."
        ) from None


def _tame(reason: object) -> str:
    """One short line that a terminal shows as it is: it may quote what is in the file."""
    line = " ".join(str(reason).split())[:200].rstrip(".")
    return "".join(sign if sign.isprintable() else "?" for sign in line)


def _empty(paths: StudyPaths) -> UsageError:
    return not_begun(paths) if paths.is_bare() else damaged(paths, "it is empty")


def _check_version(paths: StudyPaths, connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if not pages:
        raise _empty(paths)
    if version != VERSION:
        raise UsageError(
            f"{paths.ledger} has version {version}, and this xortune reads version {VERSION}. "
            "Use the xortune that made it, or restore it from a copy if it was this one."
        )
