"""The ledger of a study: its settings, trials, curves, weights and run times."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from xortune.errors import XortuneError
from xortune.ledger.creation import created
from xortune.ledger.opening import checked
from xortune.ledger.rows import RUN, Damage, digest, read_run, read_settings, run_row, setting_rows
from xortune.ledger.study_lock import StudyLock
from xortune.ledger.transactions import LedgerFile
from xortune.ledger.trial_rows import ASKED, CURVE, OUTCOME, TrialRows
from xortune.ledger.waiting import Patience
from xortune.ledger.weight_rows import checked_others, keep_weights, read_weights
from xortune.paths import StudyPaths
from xortune.run_time import RunTime
from xortune.settings import Provenance, StudySettings
from xortune.trial import Curve, FinishedTrial, Trial, TrialRow, Weights
from xortune.trial_table import TrialTable

_Settings = tuple[StudySettings, Provenance, dict[str, Any]]
_MOST_SETTINGS = 100
_MOST_READ_S = 30.0  # How long a reader waits for a lock.
# A table WITHOUT ROWID is itself an index, so NOT INDEXED would not exclude other indexes.
_SETTING = "setting INDEXED BY sqlite_autoindex_setting_1"
_TRIALS = f"SELECT {ASKED}, {OUTCOME} FROM trial NOT INDEXED"


class Ledger:
    """Settings, trials, curves and weights of one study.

    A ledger opened for writing owns the study: it holds the study's lock until it is closed
    or its process is killed. Every writing method is one transaction, durable when it
    returns; the first one upgrades a ledger of version 2. Any number of processes may read
    at the same time; a writing method waits for them. Returned values are copies. Reading
    methods raise UsageError if what they read is not what was written.

    No query uses an index that another program has made, since it may hold anything.
    """

    def __init__(self, file: LedgerFile) -> None:
        self._file = file
        # The rows of the settings that were read last with their seal, and their content.
        self._recorded: tuple[tuple[int, list[Any]], _Settings] | None = None
        self._known: TrialRows | None = None

    @classmethod
    def create(
        cls,
        paths: StudyPaths,
        settings: StudySettings,
        provenance: Provenance,
        heartbeat: Callable[[], None] = lambda: None,
    ) -> Ledger:
        """Creates the study's folder and its ledger, open for writing.

        Args:
            paths: the study's.
            settings: recorded in it.
            provenance: likewise.
            heartbeat: called while waiting for a lock; raises to stop waiting.

        Raises:
            StudyExistsError: the folder exists.
            UsageError: the folder cannot be created.
            XortuneError: the ledger cannot be written. Nothing is left behind in any case.
        """
        rows = setting_rows(settings, provenance)
        patience = Patience(paths.ledger, heartbeat)
        return cls(created(paths, lambda connection: _record(connection, rows), patience))

    @classmethod
    def open(cls, paths: StudyPaths, heartbeat: Callable[[], None] = lambda: None) -> Ledger:
        """Opens an existing ledger for writing; `heartbeat` is as for `create`.

        Raises:
            StudyBusyError: another driver has it open.
            UsageError: it is not a ledger, is damaged, or has an unknown version.
        """
        patience = Patience(paths.ledger, heartbeat)
        lock = StudyLock(paths)
        try:
            connection = checked(paths, patience, write=True)
            return cls(LedgerFile(connection, paths, lock, patience))
        except BaseException:
            lock.release()
            raise

    @classmethod
    def read(cls, paths: StudyPaths) -> Ledger:
        """Opens an existing ledger for reading.

        Raises:
            UsageError: it is not a ledger, is damaged, or has an unknown version.
        """
        patience = Patience(paths.ledger, most_s=_MOST_READ_S)
        connection = checked(paths, patience, write=False)
        connection.execute("PRAGMA query_only = ON")
        return cls(LedgerFile(connection, paths, None, patience))

    def close(self) -> None:
        """Closes the ledger and releases its lock."""
        self._file.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def settings(self) -> StudySettings:
        return self._read_settings()[0]

    def provenance(self) -> Provenance:
        """The software behind the study's numbers."""
        return self._read_settings()[1]

    def findings(self) -> dict[str, Any]:
        """What was measured at the end of the search, beside the trials: plain values by name."""
        return dict(self._read_settings()[2])

    def record(
        self,
        settings: StudySettings,
        provenance: Provenance,
        findings: Mapping[str, Any] | None = None,
    ) -> None:
        """Replaces the recorded settings and provenance, and the findings unless None."""
        rows = setting_rows(settings, provenance, self.findings() if findings is None else findings)
        with self._file.transaction() as connection:
            connection.execute(f"DELETE FROM {_SETTING}")
            _record(connection, rows)
        self._known = None

    def add_trials(self, trials: Iterable[Trial]) -> None:
        """Records new trials as waiting."""
        form = self._rows()
        rows = [form.asked(trial) for trial in trials]
        with self._file.transaction() as connection:
            connection.executemany(
                f"INSERT INTO trial ({ASKED}, {OUTCOME}) VALUES ({', '.join('?' * 10)})", rows
            )
            connection.execute("UPDATE seal NOT INDEXED SET trials = trials + ?", (len(rows),))

    def finish_trials(
        self, finished: Sequence[FinishedTrial], forget: Collection[int] = ()
    ) -> None:
        """Records the outcomes of a pack.

        Args:
            finished: with their curves, and with weights where those are kept.
            forget: the numbers of trials whose weights are no longer kept.
        """
        form = self._rows()
        curves = [form.pack_curve(f.outcome.curve) for f in finished]
        rows = [
            (*form.finished(f.trial, f.outcome, digest(curve))[3:], f.trial.number)
            for f, curve in zip(finished, curves)
        ]
        assignments = ", ".join(f"{column} = ?" for column in OUTCOME.split(", "))
        with self._file.transaction() as connection:
            updated = connection.executemany(
                f"UPDATE trial NOT INDEXED SET {assignments} WHERE number = ?", rows
            ).rowcount
            if updated != len(rows):
                raise XortuneError(f"{len(rows) - updated} of {len(rows)} trials are unknown.")
            connection.executemany(
                "INSERT OR REPLACE INTO curve VALUES (?, ?)",
                [(f.trial.number, curve) for f, curve in zip(finished, curves)],
            )
            keep_weights(connection, finished, forget)

    def trials(self) -> TrialTable:
        """All trials, without their curves and weights."""
        form, outdated = self._rows(), self.provenance().outdated_numbers()
        with self._file.reading() as connection:
            table = form.table(connection.execute(f"{_TRIALS} ORDER BY number"))
            table.outdated = outdated
            _check_count(connection, "trials", len(table))
            return table

    def has_complete_trial(self) -> bool:
        """Whether some trial was trained to its end, without reading all of them."""
        query = "SELECT 1 FROM trial NOT INDEXED WHERE state = 'COMPLETE' LIMIT 1"
        with self._file.reading() as connection:
            return connection.execute(query).fetchone() is not None

    def trial(self, number: int) -> TrialRow | None:
        """One trial without its curve and weights; None if it does not exist."""
        form = self._rows()
        with self._file.reading() as connection:
            row = _trial(connection, number)
            return None if row is None else form.trial(row, number)

    def curve(self, number: int) -> Curve:
        """The curve of one trial; without points if the trial has not run."""
        form = self._rows()
        with self._file.reading() as connection:
            row = _trial(connection, number)
            if row is None or form.trial(row, number).outcome is None:
                return form.no_curve
            _, packed = _row(connection, "curve", number) or (number, None)
            return form.curve(packed, row[CURVE], number)

    def weights(self, number: int) -> Weights | None:
        """The weights of one trial; None if they are not kept."""
        form = self._rows()
        with self._file.reading() as connection:
            trial = _trial(connection, number)
            kept = _row(connection, "weight", number)
            if kept is None or trial is None:
                rows = connection.execute("SELECT * FROM weight NOT INDEXED")
                _check_count(connection, "weights", checked_others(rows, number))
                return None
            outcome = form.trial(trial, number).outcome
            if outcome is None or outcome.scores is None:
                raise Damage(f"trial {number} has weights but is not complete")
            return read_weights(kept, _row(connection, "layout", kept[1]), number)

    def weighted(self) -> list[int]:
        """The numbers of the trials whose weights are kept, ascending."""
        with self._file.reading() as connection:
            rows = connection.execute("SELECT number FROM weight NOT INDEXED ORDER BY number")
            numbers = [number for (number,) in rows]
            _check_count(connection, "weights", len(numbers))
            if numbers and not 0 <= numbers[0] <= numbers[-1] < _sealed(connection, "trials"):
                raise Damage("it holds weights of missing trials")
            return numbers

    def add_run(self, run: RunTime) -> None:
        """Records how a run spent its time."""
        with self._file.transaction() as connection:
            (number,) = connection.execute("SELECT runs FROM seal NOT INDEXED").fetchone()
            values = run_row(number, run)
            connection.execute(
                f"INSERT INTO run ({RUN}) VALUES ({', '.join('?' * len(values))})", values
            )
            connection.execute("UPDATE seal NOT INDEXED SET runs = runs + 1")

    def runs(self) -> list[RunTime]:
        """How every run spent its time, in order, except runs that were killed."""
        with self._file.reading() as connection:
            rows = connection.execute(f"SELECT {RUN} FROM run NOT INDEXED ORDER BY number")
            found = [read_run(row, number) for number, row in enumerate(rows)]
            _check_count(connection, "runs", len(found))
            return found

    def copy_to(self, file: Path) -> None:
        """Writes the ledger's current content to a file, while its driver continues."""
        with self._file.reading() as connection, closing(sqlite3.connect(file)) as copy:
            connection.backup(copy)
            # The copy of a ledger in WAL mode is in WAL mode too, with files beside it.
            copy.execute("PRAGMA journal_mode = DELETE")

    def _read_settings(self) -> _Settings:
        """The settings, provenance and findings, parsed only if their rows have changed."""
        with self._file.reading() as connection:
            expected = _sealed(connection, "settings")
            found = connection.execute(
                f"SELECT key, value FROM {_SETTING} ORDER BY key LIMIT ?", (_MOST_SETTINGS,)
            )
            source = expected, found.fetchall()
            if self._recorded is None or self._recorded[0] != source:
                self._recorded = source, read_settings(source[1], expected)
            return self._recorded[1]

    def _rows(self) -> TrialRows:
        """The row format of this study's trials; its spec does not change."""
        if self._known is None:
            self._known = TrialRows(self.settings().spec)
        return self._known


def _record(connection: sqlite3.Connection, rows: Sequence[tuple[str, str]]) -> None:
    connection.executemany("INSERT INTO setting VALUES (?, ?)", rows)
    connection.execute("UPDATE seal NOT INDEXED SET settings = ?", (digest(rows),))


def _sealed(connection: sqlite3.Connection, column: str) -> int:
    row = connection.execute(f"SELECT {column} FROM seal NOT INDEXED WHERE only = 0").fetchone()
    if row is None or type(row[0]) is not int:
        raise Damage("its seal is missing")
    value: int = row[0]
    return value


def _check_count(connection: sqlite3.Connection, what: str, found: int) -> None:
    """Compares a number of rows with the one in the seal's column `what`."""
    expected = _sealed(connection, what)
    if found != expected:
        raise Damage(f"it holds {found} {what}, but {expected} were recorded")


def _trial(connection: sqlite3.Connection, number: int) -> tuple[Any, ...] | None:
    if not 0 <= number < _sealed(connection, "trials"):
        return None
    query = f"{_TRIALS} WHERE number = ?"
    row: tuple[Any, ...] | None = connection.execute(query, (number,)).fetchone()
    if row is None:
        raise Damage(f"trial {number} is missing")
    return row


def _row(connection: sqlite3.Connection, table: str, number: int) -> tuple[Any, ...] | None:
    query = f"SELECT * FROM {table} NOT INDEXED WHERE number = ?"
    row: tuple[Any, ...] | None = connection.execute(query, (number,)).fetchone()
    return row
