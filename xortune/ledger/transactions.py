"""The ledger's open file: consistent views for reading, transactions for writing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from xortune.errors import UsageError, XortuneError
from xortune.ledger import version2
from xortune.ledger.faults import SQLITE_ERRORS, explained
from xortune.ledger.opening import locked, roll_back, tables_of
from xortune.ledger.schema import add_missing, check_schema
from xortune.ledger.study_lock import StudyLock
from xortune.ledger.waiting import Patience
from xortune.paths import StudyPaths


class LedgerFile:
    """An open ledger file.

    Args:
        connection: to the file.
        paths: the study's.
        lock: held until the file is closed; None for a reader.
        patience: with other programs' locks.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        paths: StudyPaths,
        lock: StudyLock | None,
        patience: Patience,
    ) -> None:
        self._connection = connection
        self._paths = paths
        self._lock = lock
        self._patience = patience
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
        with explained(self._paths), locked(self._connection, self._patience):
            yield self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """An atomic, durable transaction; raises XortuneError if it fails."""
        connection = self._connection
        try:
            self._check_in_place()
            self._patience.execute(connection, "BEGIN IMMEDIATE")
            self._check_schema()
            yield connection
            self._patience.execute(connection, "COMMIT")
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

    def _check_schema(self) -> None:
        """Checks a schema that has changed, since another program may add a trigger at any time.

        Upgrades a ledger of version 2, and adds the tables that an earlier version 3 lacks.
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
            if add_missing(self._connection):
                return  # Likewise.
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
