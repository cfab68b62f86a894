"""Settings, trials, curves and times of one study: what goes in comes out, or is missed."""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from xortune.errors import StudyExistsError, UsageError, XortuneError
from xortune.ledger.driver import Driver
from xortune.ledger.faults import SQLITE_ERRORS, damaged, unreadable
from xortune.ledger.opening import MOST_READ_S, checked, connect, locked, roll_back
from xortune.ledger.rows import (
    ASKED,
    OUTCOME,
    RUN,
    Damage,
    TrialRow,
    asked_row,
    digest,
    finished_row,
    pack_curve,
    read_curve,
    read_run,
    read_settings,
    read_trial,
    run_row,
    setting_rows,
)
from xortune.ledger.schema import SCHEMA, VERSION, check_schema
from xortune.ledger.waiting import patiently
from xortune.paths import StudyPaths
from xortune.run_time import RunTime
from xortune.settings import StudySettings
from xortune.trial import Curve, FinishedTrial, Trial
from xortune.wording import option

_MOST_SETTINGS = 100
# A table WITHOUT ROWID is an index itself: NOT INDEXED would still let others' be used.
_SETTING = "setting INDEXED BY sqlite_autoindex_setting_1"


def _never() -> None:
    """The heartbeat of what nothing stops."""


class Ledger:
    """Settings, trials, curves and weights of one study.

    A ledger opened for writing owns the study: it holds the study's lock until it is
    closed, also when the process is killed. Every writing method is one transaction,
    durable when it returns. Any number of others may read meanwhile; a writing method waits
    until they let it. Values that are returned are copies. Reading methods raise UsageError
    where what they read is not what was written.

    No query uses an index that another program has made: it may hold anything.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        paths: StudyPaths,
        driver: Driver | None,
        heartbeat: Callable[[], None] = _never,
    ) -> None:
        self._connection = connection
        self._paths = paths
        self._driver = driver
        self._heartbeat = heartbeat
        self._file = _identity(paths)
        self._schema: int | None = None

    @classmethod
    def create(
        cls, paths: StudyPaths, settings: StudySettings, heartbeat: Callable[[], None] = _never
    ) -> Ledger:
        """Makes the study's folder and its ledger, open for writing.

        Args:
            paths: the study's.
            settings: recorded in it.
            heartbeat: called while a lock is waited for; raises where the wait is to end.

        Raises:
            StudyExistsError: the folder is there already.
            UsageError: the folder cannot be made.
            XortuneError: there is no room for the ledger. Nothing stays behind in either case.
        """
        missing = [f for f in (paths.folder, *paths.folder.parents) if not os.path.lexists(f)]
        try:
            paths.folder.mkdir(parents=True)
        except OSError as error:
            # The study's own folder is not ours: another search may just have made it.
            _remove(paths, missing[1:])
            fault = StudyExistsError if os.path.lexists(paths.folder) else UsageError
            raise fault(
                f"study {paths.name}: {paths.folder} cannot be made: {error.strerror}. "
                f"Choose another {option('name')} or {option('results')}."
            ) from None
        try:
            return cls._begin(paths, settings, heartbeat)
        except BaseException as error:
            _remove(paths, missing)
            if not isinstance(error, (XortuneError, OSError, sqlite3.Error)):
                raise
            raise XortuneError(
                f"study {paths.name}: {paths.ledger} could not be made: "
                f"{error.__cause__ or error}. Nothing is left of it. "
                f"Free space, or choose another {option('results')}."
            ) from error

    @classmethod
    def _begin(
        cls, paths: StudyPaths, settings: StudySettings, heartbeat: Callable[[], None]
    ) -> Ledger:
        driver = Driver(paths)
        try:
            paths.ledger.touch(exist_ok=False)
            connection = connect(paths, write=True)
        except BaseException:
            driver.release()
            raise
        ledger = cls(connection, paths, driver, heartbeat)
        try:
            with ledger._transaction() as connection:
                for table in SCHEMA:
                    connection.execute(table)
                connection.execute(f"PRAGMA user_version = {VERSION}")
                connection.execute("INSERT INTO seal VALUES (0, 0, 0, 0)")
                _record_settings(connection, settings)
        except BaseException:
            ledger.close()
            raise
        return ledger

    @classmethod
    def open(cls, paths: StudyPaths, heartbeat: Callable[[], None] = _never) -> Ledger:
        """Opens an existing ledger for writing.

        Args:
            paths: the study's.
            heartbeat: as for `create`.

        Raises:
            StudyBusyError: another driver has it open.
            UsageError: the file is no ledger of this version, or its pages are damaged.
        """
        driver = Driver(paths)
        try:
            connection = checked(paths, write=True, heartbeat=heartbeat)
            return cls(connection, paths, driver, heartbeat)
        except BaseException:
            driver.release()
            raise

    @classmethod
    def read(cls, paths: StudyPaths) -> Ledger:
        """Opens an existing ledger for reading.

        Raises:
            UsageError: the file is no ledger of this version.
        """
        connection = checked(paths, write=False)
        connection.execute("PRAGMA query_only = ON")
        return cls(connection, paths, None)

    def close(self) -> None:
        """Gives the study up."""
        if self._driver is not None:
            self._leave_wal_mode()
        self._connection.close()
        if self._driver is not None:
            self._driver.release()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def settings(self) -> StudySettings:
        with self._reading() as connection:
            expected = _sealed(connection, "settings")
            rows = connection.execute(
                f"SELECT key, value FROM {_SETTING} ORDER BY key LIMIT ?", (_MOST_SETTINGS,)
            )
            return read_settings(rows.fetchall(), expected)

    def write_settings(self, settings: StudySettings) -> None:
        """Records the settings, in place of those before."""
        with self._transaction() as connection:
            connection.execute(f"DELETE FROM {_SETTING}")
            _record_settings(connection, settings)

    def add_trials(self, trials: Iterable[Trial]) -> None:
        """Records trials that were asked for: they wait."""
        rows = [asked_row(trial) for trial in trials]
        with self._transaction() as connection:
            connection.executemany(
                f"INSERT INTO trial ({ASKED}, {OUTCOME}) VALUES ({', '.join('?' * 17)})", rows
            )
            connection.execute("UPDATE seal NOT INDEXED SET trials = trials + ?", (len(rows),))

    def finish_trials(self, finished: Sequence[FinishedTrial]) -> None:
        """Records the outcomes of a pack."""
        curves = [pack_curve(f.outcome.curve) for f in finished]
        asked = ASKED.count(",") + 1
        rows = [(*finished_row(f, c)[asked:], f.trial.number) for f, c in zip(finished, curves)]
        assignments = ", ".join(f"{column} = ?" for column in OUTCOME.split(", "))
        with self._transaction() as connection:
            updated = connection.executemany(
                f"UPDATE trial NOT INDEXED SET {assignments} WHERE number = ?", rows
            ).rowcount
            if updated != len(rows):
                raise XortuneError(f"{len(rows) - updated} of {len(rows)} trials are not known.")
            connection.executemany(
                "INSERT OR REPLACE INTO curve VALUES (?, ?)",
                [(f.trial.number, curve) for f, curve in zip(finished, curves)],
            )

    def trials(self) -> list[TrialRow]:
        """All trials, by number; the outcomes' curves are empty."""
        with self._reading() as connection:
            asked = _sealed(connection, "trials")
            rows = connection.execute(
                f"SELECT {ASKED}, {OUTCOME} FROM trial NOT INDEXED ORDER BY number"
            )
            found = [read_trial(row, number)[0] for number, row in enumerate(rows)]
            if len(found) != asked:
                raise Damage(f"it holds {len(found)} trials, and {asked} were recorded")
            return found

    def trial(self, number: int) -> TrialRow | None:
        """One trial, None when there is none of that number; its outcome's curve is empty."""
        with self._reading() as connection:
            if not 0 <= number < _sealed(connection, "trials"):
                return None
            return _trial(connection, number)[0]

    def curve(self, number: int) -> Curve:
        """The curve of one trial, empty when it has none."""
        with self._reading() as connection:
            if not 0 <= number < _sealed(connection, "trials"):
                return Curve((), (), ())
            expected = _trial(connection, number)[1]
            if expected is None:
                return Curve((), (), ())
            row = connection.execute(
                "SELECT points FROM curve NOT INDEXED WHERE number = ?", (number,)
            )
            (packed,) = row.fetchone() or (None,)
            return read_curve(packed, expected, number)

    def add_run(self, run: RunTime) -> None:
        """Records where the time of a run went."""
        with self._transaction() as connection:
            (number,) = connection.execute("SELECT runs FROM seal NOT INDEXED").fetchone()
            values = run_row(number, run)
            connection.execute(
                f"INSERT INTO run ({RUN}) VALUES ({', '.join('?' * len(values))})", values
            )
            connection.execute("UPDATE seal NOT INDEXED SET runs = runs + 1")

    def runs(self) -> list[RunTime]:
        """Where the time of every run went, in their order; one that was killed left nothing."""
        with self._reading() as connection:
            count = _sealed(connection, "runs")
            rows = connection.execute(f"SELECT {RUN} FROM run NOT INDEXED ORDER BY number")
            found = [read_run(row, number) for number, row in enumerate(rows)]
            if len(found) != count:
                raise Damage(f"it holds the times of {len(found)} runs, and there were {count}")
            return found

    def copy_to(self, file: Path) -> None:
        """Writes what the ledger holds at this moment to a file, while its driver goes on."""
        with self._reading() as connection, closing(sqlite3.connect(file)) as copy:
            connection.backup(copy)
            # A copy of a ledger in WAL mode would be in it too, and make files of its own.
            copy.execute("PRAGMA journal_mode = DELETE")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One view of the file, whatever a driver writes meanwhile."""
        connection = self._connection
        most_s = MOST_READ_S if self._driver is None else math.inf
        try:
            with locked(self._paths, connection, self._heartbeat, most_s):
                yield connection
        except SQLITE_ERRORS as error:
            raise unreadable(self._paths, error) from error
        except (ValueError, TypeError, ArithmeticError, RecursionError, UsageError) as error:
            raise damaged(self._paths, error) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
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
                f"the ledger {self._paths.ledger} could not be written: {error}. What was "
                "finished before is kept; free space or restore access, then resume the study."
            ) from error
        except BaseException:
            roll_back(connection)
            raise

    def _patiently(self, statement: str) -> None:
        """Others that read keep a transaction from its end, which can be tried again."""
        patiently(
            lambda: self._connection.execute(statement),
            self._paths.ledger,
            self._heartbeat,
            math.inf,
        )

    def _check_schema(self) -> None:
        """Another program may add a trigger at any time; its transactions exclude ours."""
        (version,) = self._connection.execute("PRAGMA schema_version").fetchone()
        if version in (0, self._schema):
            return  # 0: our tables are about to be made.
        try:
            check_schema(self._paths, self._connection)
        except UsageError as error:
            raise XortuneError(
                f"the search cannot write: {error} What was finished before is kept; then resume "
                "the study."
            ) from error
        self._schema = version

    def _leave_wal_mode(self) -> None:
        """Where another program has changed the mode meanwhile, and does not hold it."""
        with suppress(sqlite3.Error):
            if self._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
                self._connection.execute("PRAGMA journal_mode = DELETE")

    def _check_in_place(self) -> None:
        """SQLite writes on without a word into a file that was moved or removed."""
        if _identity(self._paths) != self._file:
            raise XortuneError(
                f"the ledger {self._paths.ledger} was removed, moved or replaced while the "
                f"search was at work. What was finished is in it, wherever it is: put "
                f"{self._paths.folder} back as it was, then resume the study."
            )


def _identity(paths: StudyPaths) -> tuple[int, int] | None:
    try:
        found = os.lstat(paths.ledger)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _record_settings(connection: sqlite3.Connection, settings: StudySettings) -> None:
    rows = setting_rows(settings)
    connection.executemany("INSERT INTO setting VALUES (?, ?)", rows)
    connection.execute("UPDATE seal NOT INDEXED SET settings = ?", (digest(rows),))


def _sealed(connection: sqlite3.Connection, column: str) -> int:
    row = connection.execute(f"SELECT {column} FROM seal NOT INDEXED WHERE only = 0").fetchone()
    if row is None or type(row[0]) is not int:
        raise Damage("it does not say what it holds")
    value: int = row[0]
    return value


def _trial(connection: sqlite3.Connection, number: int) -> tuple[TrialRow, int | None]:
    row = connection.execute(
        f"SELECT {ASKED}, {OUTCOME} FROM trial NOT INDEXED WHERE number = ?", (number,)
    ).fetchone()
    if row is None:
        raise Damage(f"trial {number} is missing")
    return read_trial(row, number)


def _remove(paths: StudyPaths, folders: Sequence[os.PathLike[str]]) -> None:
    """Takes back what `create` made: its files, and those folders, innermost first."""
    if paths.folder in folders:
        made = (paths.ledger, paths.journal, *paths.log, paths.driver, paths.partial, paths.lock)
        for file in made:
            with suppress(OSError):
                file.unlink()
    for folder in folders:
        with suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106
