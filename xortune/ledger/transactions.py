"""The ledger's open file: consistent views for reading, transactions for writing."""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from xortune.errors import UsageError, XortuneError
from xortune.ledger import version2
from xortune.ledger.faults import SQLITE_ERRORS, explained
from xortune.ledger.opening import MOST_READ_S, locked, roll_back, tables_of
from xortune.ledger.schema import check_schema
from xortune.ledger.study_lock import StudyLock
from xortune.ledger.waiting import patiently
from xortune.paths import StudyPaths


class LedgerFile:
    """An open ledger file.

    Args:
        connection: to the file.
        paths: the study's.
        lock: held until the file is closed; None for a reader.
        heartbeat: called while waiting for another program's lock; raises to stop waiting.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        paths: StudyPaths,
        lock: StudyLock | None,
        heartbeat: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection = connection
        self._paths = paths
        self._lock = lock
        self._heartbeat = heartbeat
        self._file = _identity(paths)
        self._schema: int | None = None

    def close(self) -> None:
        if self._lock is not None:
            self._leave_wal_mode()
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A consistent view of the file while a driver writes; raises UsageError for damage."""
        connection = self._connection
        most_s = MOST_READ_S if self._lock is None else math.inf
        with explained(self._paths), locked(self._paths, connection, self._heartbeat, most_s):
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """An atomic, durable transaction; raises XortuneError if it fails."""
        connection = self._connection
        try:
            self._check_in_place()
            self._patiently("BEGIN IMMEDIATE")
            self._check_schema()
            yield connection
            self._patiently("COMMIT")
            self._check_in_place()
        except SQLITE_ERRORS as error:
            roll_back(connection)
            raise XortuneError(
                f"the ledger {self._paths.ledger} could not be written: {error}. Finished "
                "trials are kept; free space or restore access, then resume the study."
            ) from error
        except BaseException:
            roll_back(connection)
            raise

    def _patiently(self, statement: str) -> None:
        """Executes a statement that other readers may block, however long that takes."""
        execute = self._connection.execute
        patiently(lambda: execute(statement), self._paths.ledger, self._heartbeat, math.inf)

    def _check_schema(self) -> None:
        """Checks a schema that has changed, since another program may add a trigger at any time.

        Upgrades a ledger of version 2.
        """
        (schema,) = self._connection.execute("PRAGMA schema_version").fetchone()
        if schema in (0, self._schema):
            return  # 0: our tables are about to be created.
        try:
            tables = tables_of(self._paths, self._connection)
            check_schema(self._paths, self._connection, tables)
            if tables is version2.TABLES:
                version2.upgrade(self._paths, self._connection)
                return  # A rollback would restore version 2, with this schema version.
        except UsageError as error:
            raise XortuneError(
                f"the search cannot write: {error} Finished trials are kept; then resume the study."
            ) from error
        self._schema = schema

    def _leave_wal_mode(self) -> None:
        """Undoes another program's change of mode, unless that program has the file open."""
        with suppress(sqlite3.Error):
            if self._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
                self._connection.execute("PRAGMA journal_mode = DELETE")

    def _check_in_place(self) -> None:
        """SQLite silently keeps writing to a file that was moved or removed."""
        if _identity(self._paths) != self._file:
            raise XortuneError(
                f"the ledger {self._paths.ledger} was removed, moved or replaced during the "
                f"search. It holds the finished trials, wherever it is: put {self._paths.folder} "
                "back as it was, then resume the study."
            )


def _identity(paths: StudyPaths) -> tuple[int, int] | None:
    try:
        found = os.lstat(paths.ledger)
    except OSError:
        return None
    return found.st_dev, found.st_ino
