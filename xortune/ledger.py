"""The durable truth of a study: one SQLite file, written by one driver."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from xortune.errors import StudyBusyError, UsageError, XortuneError
from xortune.paths import StudyPaths
from xortune.settings import StudySettings
from xortune.times import RunTime
from xortune.trial import Curve, FinishedTrial, Outcome, Params, Scores, Trial

_VERSION = 1
_SCHEMA = """
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE driver (only INTEGER PRIMARY KEY CHECK (only = 0), host TEXT, pid INTEGER);
CREATE TABLE trial (
    number INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL,
    lr REAL NOT NULL,
    epochs INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    loss_fn TEXT NOT NULL,
    train_loss REAL, mse REAL, bce REAL, accuracy REAL,
    duration_s REAL, worker TEXT, error TEXT,
    weights TEXT  -- a JSON list of nine numbers, in the order of state_dict()
);
CREATE TABLE curve (
    number INTEGER NOT NULL REFERENCES trial (number),
    epoch INTEGER NOT NULL,
    training REAL, validation REAL,  -- NULL stands for NaN
    PRIMARY KEY (number, epoch)
) WITHOUT ROWID;
"""
# Not in the schema: ledgers without it are as good.
_RUN_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    wall REAL, start_up REAL, sampler REAL, writing REAL,
    workers INTEGER, training REAL, queue REAL, idle REAL  -- seconds
)
"""
_TABLES = ("setting", "driver", "trial", "curve", "run")
_RUN = "wall, start_up, sampler, writing, workers, training, queue, idle"
_TRIAL = "number, generation, lr, epochs, seed, loss_fn"
_SET = "INSERT OR REPLACE INTO setting VALUES (?, ?)"
_SIGN = "INSERT OR REPLACE INTO driver VALUES (0, ?, ?)"
_OUTCOME = "state, train_loss, mse, bce, accuracy, weights, duration_s, worker, error"


@dataclass(frozen=True)
class TrialRow:
    """A trial as the ledger has it, without its curve; `outcome` is None while it waits."""

    trial: Trial
    outcome: Outcome | None


class Ledger:
    """Settings, trials, curves and weights of one study.

    A ledger opened for writing owns the study: it holds the study's lock until it is
    closed, also when the process is killed. Every writing method is one transaction,
    durable when it returns. Any number of others may read meanwhile. Values that are
    returned are copies.
    """

    def __init__(self, connection: sqlite3.Connection, lock: FileLock | None) -> None:
        self._connection = connection
        self._lock = lock

    @classmethod
    def create(cls, paths: StudyPaths, settings: StudySettings) -> Ledger:
        """Makes the study's folder and its ledger, open for writing.

        Raises:
            UsageError: the folder cannot be made.
        """
        try:
            paths.folder.mkdir(parents=True)
        except OSError as error:
            raise UsageError(
                f"study {paths.name}: {paths.folder} cannot be made: {error.strerror}. "
                "Choose another --name or --results."
            ) from None
        ledger = cls(_connect(paths), _acquire(paths))
        with ledger._transaction() as connection:
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
            connection.executemany(_SET, _setting_rows(settings))
            connection.execute(_SIGN, _signature())
        return ledger

    @classmethod
    def open(cls, paths: StudyPaths) -> Ledger:
        """Opens an existing ledger for writing.

        Raises:
            StudyBusyError: another driver has it open.
            UsageError: the file is no ledger of this version.
        """
        lock = _acquire(paths)
        try:
            ledger = cls(_checked(paths), lock)
            with ledger._transaction() as connection:
                connection.execute(_SIGN, _signature())
        except BaseException:
            lock.release()
            raise
        return ledger

    @classmethod
    def read(cls, paths: StudyPaths) -> Ledger:
        """Opens an existing ledger for reading.

        Raises:
            UsageError: the file is no ledger of this version.
        """
        ledger = cls(_checked(paths), None)
        ledger._connection.execute("PRAGMA query_only = ON")
        return ledger

    def close(self) -> None:
        """Gives the study up."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def settings(self) -> StudySettings:
        with self._reading() as connection:
            rows = connection.execute("SELECT key, value FROM setting")
            return StudySettings.from_dict({key: json.loads(value) for key, value in rows})

    def write_settings(self, settings: StudySettings) -> None:
        """Records the settings, in place of those before."""
        with self._transaction() as connection:
            connection.executemany(_SET, _setting_rows(settings))

    def add_trials(self, trials: Iterable[Trial]) -> None:
        """Records trials that were asked for: they wait."""
        rows = [
            (t.number, t.generation, p.lr, p.epochs, p.seed, p.loss_fn)
            for t in trials
            for p in [t.params]
        ]
        with self._transaction() as connection:
            connection.executemany(
                f"INSERT INTO trial ({_TRIAL}, state) VALUES (?, ?, ?, ?, ?, ?, 'WAITING')", rows
            )

    def finish_trials(self, finished: Sequence[FinishedTrial]) -> None:
        """Records the outcomes of a pack."""
        rows = [(*_outcome_values(f.outcome), f.trial.number) for f in finished]
        assignments = ", ".join(f"{column} = ?" for column in _OUTCOME.split(", "))
        points = [
            (f.trial.number, *point)
            for f in finished
            for curve in [f.outcome.curve]
            for point in zip(curve.epochs, curve.training, curve.validation)
        ]
        with self._transaction() as connection:
            updated = connection.executemany(
                f"UPDATE trial SET {assignments} WHERE number = ?", rows
            ).rowcount
            if updated != len(rows):
                raise XortuneError(f"{len(rows) - updated} of {len(rows)} trials are not known.")
            connection.executemany("INSERT OR REPLACE INTO curve VALUES (?, ?, ?, ?)", points)

    def trials(self) -> list[TrialRow]:
        """All trials, by number; the outcomes' curves are empty."""
        with self._reading() as connection:
            rows = connection.execute(f"SELECT {_TRIAL}, {_OUTCOME} FROM trial ORDER BY number")
            return [_trial_row(row) for row in rows]

    def trial(self, number: int) -> TrialRow | None:
        """One trial, None when there is none of that number; its outcome's curve is empty."""
        with self._reading() as connection:
            row = connection.execute(
                f"SELECT {_TRIAL}, {_OUTCOME} FROM trial WHERE number = ?", (number,)
            ).fetchone()
            return None if row is None else _trial_row(row)

    def curve(self, number: int) -> Curve:
        """The curve of one trial, empty when it has none."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT epoch, training, validation FROM curve WHERE number = ? ORDER BY epoch",
                (number,),
            ).fetchall()
        return Curve(
            tuple(row[0] for row in rows),
            tuple(_number(row[1]) for row in rows),
            tuple(_number(row[2]) for row in rows),
        )

    def add_run(self, run: RunTime) -> None:
        """Records where the time of a run went."""
        with self._transaction() as connection:
            connection.execute(_RUN_SCHEMA)
            connection.execute(
                f"INSERT INTO run ({_RUN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(run)
            )

    def runs(self) -> list[RunTime]:
        """Where the time of every run went, in their order; one that was killed left nothing."""
        with self._reading() as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'run'")
            if tables.fetchone() is None:
                return []
            rows = connection.execute(f"SELECT {_RUN} FROM run ORDER BY rowid")
            return [RunTime(*row) for row in rows]

    def copy_to(self, file: Path) -> None:
        """Writes what the ledger holds at this moment to a file, while its driver goes on."""
        with self._reading() as connection, closing(sqlite3.connect(file)) as copy:
            connection.backup(copy)

    def check(self) -> None:
        """For a ledger from elsewhere: whether all of it can be read, and it is a ledger alone.

        Raises:
            UsageError: it is damaged, or holds what no ledger does, such as a trigger.
        """
        with self._reading() as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise ValueError(verdict)
            for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master"):
                if kind != "table" or name not in _TABLES or not sql.startswith("CREATE TABLE "):
                    raise ValueError(f"a ledger has no {kind} {name!r}")
        self.settings()
        self.trials()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection
        except (sqlite3.Error, ValueError, TypeError) as error:
            file = self._connection.execute("PRAGMA database_list").fetchone()[2]
            raise UsageError(f"{file} is damaged: {error}. Restore it from a copy.") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise XortuneError(
                f"the ledger could not be written: {error}. What was finished before is kept; "
                "free space or restore access, then resume the study."
            ) from error
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _connect(paths: StudyPaths) -> sqlite3.Connection:
    # A rollback journal, not WAL: the study stays one file, which can be read from a
    # read-only folder. EXTRA also makes the journal's removal, which is the commit, durable.
    connection = sqlite3.connect(paths.ledger, timeout=30, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = EXTRA")
    return connection


def _checked(paths: StudyPaths) -> sqlite3.Connection:
    connection = None
    try:
        connection = _connect(paths)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == _VERSION:
            return connection
        fault = (
            f"has version {version}, and this xortune reads version {_VERSION}. "
            "Use the xortune that made it."
        )
    except sqlite3.Error as error:
        fault = f"is no ledger of a study: {error}."
    if connection is not None:
        connection.close()
    raise UsageError(f"{paths.ledger} {fault}")


def _acquire(paths: StudyPaths) -> FileLock:
    lock = FileLock(paths.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StudyBusyError(
            f"study {paths.name}: another driver is at work on it, {_holder(paths)}. "
            "Wait for it, or stop it first."
        ) from None
    except OSError as error:
        raise UsageError(f"study {paths.name}: {paths.folder}: {error.strerror}.") from None
    return lock


def _holder(paths: StudyPaths) -> str:
    try:
        with closing(_connect(paths)) as connection:
            row = connection.execute("SELECT host, pid FROM driver").fetchone()
    except sqlite3.Error:
        row = None
    return f"process {row[1]} on {row[0]}" if row else "just starting"


def _setting_rows(settings: StudySettings) -> list[tuple[str, str]]:
    return [(key, json.dumps(value)) for key, value in settings.to_dict().items()]


def _signature() -> tuple[str, int]:
    """This driver's name, for whoever finds the study busy."""
    return socket.gethostname(), os.getpid()


def _outcome_values(outcome: Outcome) -> tuple[Any, ...]:
    scores = outcome.scores
    measured = (
        (scores.train_loss, scores.mse, scores.bce, scores.accuracy) if scores else (None,) * 4
    )
    weights = None if outcome.weights is None else json.dumps(outcome.weights)
    return (outcome.state, *measured, weights, outcome.duration_s, outcome.worker, outcome.error)


def _trial_row(row: tuple[Any, ...]) -> TrialRow:
    number, generation, lr, epochs, seed, loss_fn, state, *measured = row[:11]
    weights, duration_s, worker, error = row[11:]
    trial = Trial(number, generation, Params(lr, epochs, seed, loss_fn))
    if state == "WAITING":
        return TrialRow(trial, None)
    outcome = Outcome(
        state=state,
        scores=None if measured[0] is None else Scores(*measured),
        weights=None if weights is None else tuple(json.loads(weights)),
        duration_s=duration_s,
        worker=worker,
        error=error,
    )
    return TrialRow(trial, outcome)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
