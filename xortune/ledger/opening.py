"""Opens the ledger's file, only if its schema is exactly ours."""

from __future__ import annotations

import math
import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from xortune.errors import UsageError
from xortune.ledger import version2
from xortune.ledger.faults import MODES, SQLITE_ERRORS, WAL, damaged, in_wal_mode, unreadable
from xortune.ledger.schema import TABLES, VERSION, check_schema, has_others
from xortune.ledger.waiting import TRY_S, is_locked, others, patiently
from xortune.paths import StudyPaths, not_begun

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_JOURNAL = b"\1\1"
# How long a reader waits for a lock, and a driver for other programs to release WAL mode.
MOST_READ_S = 30.0
_MOST_SWITCH_S = 10.0
_LONGEST_VALUE = 2**28
# Reading the schema takes some hundred steps; cyclic pages never finish.
_SCHEMA_STEPS = 1_000_000
# A journal that ends in this names another file, which SQLite would delete.
_SUPER_JOURNAL = bytes.fromhex("d9d505f920a163d7")


def connect(
    paths: StudyPaths, *, write: bool, heartbeat: Callable[[], None] = lambda: None
) -> sqlite3.Connection:
    """A connection to an existing file that trusts nothing in it.

    Raises UsageError if another program keeps the file in WAL mode, or SQLite's errors.
    """
    uri = f"{paths.ledger.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, timeout=TRY_S, isolation_level=None, uri=True)
    try:
        connection.set_progress_handler(lambda: 1, _SCHEMA_STEPS)
        _distrust(connection)
        take_lock(paths, connection, heartbeat, math.inf if write else MOST_READ_S)
        connection.set_progress_handler(None, 0)
        # EXTRA makes a journal's removal, which is the commit, durable too.
        connection.execute("PRAGMA synchronous = EXTRA")
        if write:
            _use_journal(paths, connection, heartbeat)
    except BaseException:
        connection.close()
        raise
    return connection


def take_lock(
    paths: StudyPaths, connection: sqlite3.Connection, heartbeat: Callable[[], None], most_s: float
) -> None:
    """Waits until the file can be read; within a transaction that remains so."""
    query = "SELECT 1 FROM sqlite_master LIMIT 1"
    patiently(lambda: connection.execute(query).fetchone(), paths.ledger, heartbeat, most_s)


@contextmanager
def locked(
    paths: StudyPaths, connection: sqlite3.Connection, heartbeat: Callable[[], None], most_s: float
) -> Iterator[None]:
    """Keeps other programs from changing the file, once it can be read."""
    try:
        connection.execute("BEGIN")
        take_lock(paths, connection, heartbeat, most_s)
        yield
    finally:
        roll_back(connection)


def roll_back(connection: sqlite3.Connection) -> None:
    """Ends any transaction; never raises, so that an earlier error is kept."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _distrust(connection: sqlite3.Connection) -> None:
    if sys.version_info >= (3, 11):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    # Other programs' tables may refer to ours, but must not act on what is written.
    connection.execute("PRAGMA foreign_keys = OFF")


def _use_journal(
    paths: StudyPaths, connection: sqlite3.Connection, heartbeat: Callable[[], None]
) -> None:
    """Leaves WAL mode, so that the study is one file, readable in a read-only folder."""
    pragma = "PRAGMA journal_mode = DELETE"
    most_s = _MOST_SWITCH_S if in_wal_mode(paths) else math.inf
    try:
        mode = patiently(
            lambda: connection.execute(pragma).fetchone(), paths.ledger, heartbeat, most_s
        )
    except sqlite3.OperationalError as error:
        if not (is_locked(error) and in_wal_mode(paths)):
            raise
        mode = ("wal",)
    if mode != ("delete",):
        raise UsageError(
            f"{paths.ledger} was put into WAL mode by another program, and {others(paths.ledger)} "
            "still has it open. Close it there, then try again."
        )


def checked(
    paths: StudyPaths, *, write: bool, heartbeat: Callable[[], None] = lambda: None
) -> sqlite3.Connection:
    """A connection to an existing ledger with tables of this version; errors are UsageErrors.

    For a ledger of version 2 the tables are temporary copies, beside the file's own.
    """
    _check_files(paths)
    connection = None
    try:
        connection = connect(paths, write=write, heartbeat=heartbeat)
        with locked(paths, connection, heartbeat, math.inf if write else MOST_READ_S):
            tables = tables_of(paths, connection)
            check_schema(paths, connection, tables)
            if write:
                _check_pages(paths, connection, tables)
            if tables is version2.TABLES:
                version2.convert(paths, connection)
                connection.execute("COMMIT")
        return connection
    except SQLITE_ERRORS as error:
        fault = unreadable(paths, error)
    except UsageError as error:
        fault = error
    if connection is not None:
        connection.close()
    raise fault


def tables_of(paths: StudyPaths, connection: sqlite3.Connection) -> Mapping[str, str]:
    """The statements that create the tables of a ledger's version, by name."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if not pages:
        raise _empty(paths)
    known = {VERSION: TABLES, version2.VERSION: version2.TABLES}
    if version not in known:
        raise UsageError(
            f"{paths.ledger} has version {version}, and this xortune reads version "
            f"{' and '.join(map(str, sorted(known)))}. "
            "Use the xortune that wrote it, or restore it from a copy if it was this one."
        )
    return known[version]


def _check_pages(
    paths: StudyPaths, connection: sqlite3.Connection, tables: Mapping[str, str]
) -> None:
    """Checks that no page is lost or used twice: writing would make that worse."""
    if has_others(connection, tables):
        # Their constraints would be evaluated; the only one of ours is checked below.
        connection.execute("PRAGMA ignore_check_constraints = ON")
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    connection.execute("PRAGMA ignore_check_constraints = OFF")
    if connection.execute("SELECT only FROM seal NOT INDEXED LIMIT 2").fetchall() != [(0,)]:
        raise damaged(paths, "its seal is missing")
    if found != "ok":
        raise damaged(paths, found)


def no_link(file: Path) -> None:
    """Raises UsageError if a file exists but is a link, a pipe or the like."""
    try:
        mode = file.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}. Restore access.") from None
    if not stat.S_ISREG(mode):
        raise UsageError(
            f"{file} is {'a link' if stat.S_ISLNK(mode) else 'not a file'}, and a study reads and "
            "writes only its own files. Put the file itself in its place, or remove it."
        )


def _check_files(paths: StudyPaths) -> None:
    no_link(paths.ledger)
    no_link(paths.journal)
    try:
        with paths.ledger.open("rb") as file:
            header = file.read(_HEADER)
        # The first page is zero until the first transaction has committed.
        if not header or (not header.strip(b"\0") and paths.journal.exists()):
            raise _empty(paths)
        known = header[MODES] in (_JOURNAL, WAL)
        if header[:16] != _MAGIC or not known or len(header) < _HEADER:
            raise UsageError(
                f"{paths.ledger} is not a study ledger: its first bytes are not those of one. "
                "Restore it from a copy."
            )
        _check_log(paths, header[MODES] == WAL)
        with paths.journal.open("rb") as file:
            file.seek(max(os.fstat(file.fileno()).st_size - len(_SUPER_JOURNAL), 0))
            if file.read() == _SUPER_JOURNAL:
                raise UsageError(
                    f"{paths.journal} was not written by xortune: it would make SQLite delete "
                    "another file. Restore the study from a copy."
                )
    except FileNotFoundError:
        pass
    except OSError as error:
        text = f"{paths.ledger} cannot be read: {error.strerror}. Restore access to it."
        raise UsageError(text) from None


def _check_log(paths: StudyPaths, expected: bool) -> None:
    """Refuses a stray log, which SQLite would take for part of the ledger."""
    for extra in paths.log:
        if expected:
            no_link(extra)
        elif os.path.lexists(extra):
            raise UsageError(
                f"{extra} does not belong to the study: SQLite would take it for a part of "
                f"{paths.ledger.name}. Remove it, or restore the study from a copy."
            )


def _empty(paths: StudyPaths) -> UsageError:
    return not_begun(paths) if paths.is_bare() else damaged(paths, "it is empty")
