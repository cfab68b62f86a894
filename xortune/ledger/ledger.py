"""The ledger of a study: its settings, trials, curves, weights and run times."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from xortune.ledger.changes import TrialChange, read_changes
from xortune.ledger.creation import created
from xortune.ledger.findings import check_findings
from xortune.ledger.opening import checked
from xortune.ledger.overview import Overview, read_overview
from xortune.ledger.pack_rows import Forms, PackRows
from xortune.ledger.paused_rows import read_paused
from xortune.ledger.queries import (
    TRIALS,
    check_count,
    numbered_row,
    sealed_count,
    sealed_counts,
    trial_row,
)
from xortune.ledger.replicate_rows import insert_replicates, read_replicates
from xortune.ledger.rows import RUN, Damage, digest, read_run, read_settings, run_row, setting_rows
from xortune.ledger.study_lock import StudyLock
from xortune.ledger.transactions import LedgerFile
from xortune.ledger.trial_rows import ASKED, CURVE, OUTCOME
from xortune.ledger.waiting import Patience
from xortune.ledger.weight_rows import checked_others, read_weights
from xortune.paths import StudyPaths
from xortune.run_time import RunTime
from xortune.settings import Provenance, StudySettings
from xortune.trial import Curve, FinishedTrial, Outcome, Replicate, Trial, TrialRow, Weights
from xortune.trial_table import TrialTable

_Settings = tuple[StudySettings, Provenance, dict[str, Any]]
_MOST_SETTINGS = 100
_MOST_READ_S = 30.0  # How long a reader waits for a lock.
_NOT_PAUSED: Mapping[int, Sequence[Outcome]] = {}
# A table WITHOUT ROWID is itself an index, so NOT INDEXED would not exclude other indexes.
_SETTING = "setting INDEXED BY sqlite_autoindex_setting_1"


class Ledger:
    """Settings, trials, curves, weights, replicates and paused trials of one study.

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
        self._known: Forms | None = None

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
        form = self._forms().trials
        rows = [form.asked(trial) for trial in trials]
        with self._file.transaction() as connection:
            connection.executemany(
                f"INSERT INTO trial ({ASKED}, {OUTCOME}) VALUES ({', '.join('?' * 10)})", rows
            )
            connection.execute("UPDATE seal NOT INDEXED SET trials = trials + ?", (len(rows),))

    def finish_trials(
        self,
        finished: Sequence[FinishedTrial],
        forget: Collection[int] = (),
        paused: Mapping[int, Sequence[Outcome]] = _NOT_PAUSED,
    ) -> None:
        """Records the outcomes of a pack.

        Args:
            finished: with their curves, with their replicates, and with weights where those are
                kept. What is recorded of these trials' lanes at a rung is removed.
            forget: the numbers of trials whose weights are no longer kept.
            paused: the lanes of trials at a rung, by the numbers of the trials; they replace those
                of an earlier rung.
        """
        rows = PackRows.of(self._forms(), finished, paused)
        with self._file.transaction() as connection:
            rows.write(connection, forget)

    def paused(self, numbers: Iterable[int] | None = None) -> dict[int, tuple[Outcome, ...]]:
        """The outcomes of the lanes of trials at a rung, as `finish_trials` got them.

        Args:
            numbers: of these trials; None for all. Those that are not at a rung are left out.
        """
        form, trials = self._forms().paused, self._forms().trials
        with self._file.reading() as connection:
            found = read_paused(connection, numbers)
            for number in found:
                row = trial_row(connection, number)
                if row is None or trials.trial(row, number).outcome is not None:
                    raise Damage(f"trial {number} is paused, but not waiting")
            return {number: form.lanes(number, rows) for number, rows in found.items()}

    def add_replicates(self, rows: Sequence[tuple[int, Replicate]]) -> None:
        """Records replicates of a confirmation, each with the number of its trial."""
        form = self._forms().replicates
        new = [form.row(number, replicate) for number, replicate in rows]
        with self._file.transaction() as connection:
            insert_replicates(connection, new)

    def replicates(self, number: int) -> list[Replicate]:
        """The replicates of one trial, by place: first the search's, then a confirmation's."""
        forms = self._forms()
        with self._file.reading() as connection:
            rows = read_replicates(connection, lambda trial, place: trial == number)
            row = trial_row(connection, number)
            outcome = None if row is None else forms.trials.trial(row, number).outcome
            found = forms.replicates.read(rows).get(number, [])
            forms.replicates.check(number, outcome, found)
            return found

    def all_replicates(self, first: int) -> dict[int, list[Replicate]]:
        """The replicates from a place on, by the numbers of their trials."""
        form = self._forms().replicates
        with self._file.reading() as connection:
            return form.read(read_replicates(connection, lambda trial, place: place >= first))

    def trials(self) -> TrialTable:
        """All trials, without their curves and weights."""
        form, outdated = self._forms().trials, self.provenance().outdated_numbers()
        with self._file.reading() as connection:
            table = form.table(connection.execute(f"{TRIALS} ORDER BY number"))
            table.outdated = outdated
            check_count(connection, "trials", len(table))
            return table

    def count_trials(self) -> int:
        """How many trials there are, in any state."""
        with self._file.reading() as connection:
            return sealed_count(connection, "trials")

    def changes(self, known: Sequence[int] = ()) -> list[TrialChange]:
        """The trials that are new or differ from those read before, with curves, by number.

        Args:
            known: the digests of the trials read before, by number.
        """
        form = self._forms().trials
        with self._file.reading() as connection:
            return read_changes(connection, form, known)

    def overview(self) -> Overview:
        """Counts of trials by state, and the best objective; checks only the best trial's row."""
        form, spec = self._forms().trials, self.settings().spec
        spans = self.provenance().outdated
        with self._file.reading() as connection:
            return read_overview(connection, form, spec, spans)

    def has_complete_trial(self) -> bool:
        """Whether some trial was trained to its end, without reading all of them."""
        query = "SELECT 1 FROM trial NOT INDEXED WHERE state = 'COMPLETE' LIMIT 1"
        with self._file.reading() as connection:
            return connection.execute(query).fetchone() is not None

    def trial(self, number: int) -> TrialRow | None:
        """One trial without its curve and weights; None if it does not exist."""
        form = self._forms().trials
        with self._file.reading() as connection:
            row = trial_row(connection, number)
            return None if row is None else form.trial(row, number)

    def curve(self, number: int) -> Curve:
        """The curve of one trial; without points if the trial has not run."""
        form = self._forms().trials
        with self._file.reading() as connection:
            row = trial_row(connection, number)
            if row is None or form.trial(row, number).outcome is None:
                return form.no_curve
            _, packed = numbered_row(connection, "curve", number) or (number, None)
            return form.curve(packed, row[CURVE], number)

    def curves(self, numbers: Collection[int] | None = None) -> dict[int, Curve]:
        """The curves of finished trials by number, ascending: of these trials, or of all."""
        form = self._forms().trials
        found: dict[int, Curve] = {}
        with self._file.reading() as connection:
            trials = connection.execute(f"{TRIALS} ORDER BY number")
            curves = dict(connection.execute("SELECT number, points FROM curve NOT INDEXED"))
            for row in form.finished_rows(trials, numbers):
                found[row[0]] = form.curve(curves.get(row[0]), row[CURVE], row[0])
        return found

    def weights(self, number: int) -> Weights | None:
        """The weights of one trial; None if they are not kept."""
        form = self._forms().trials
        with self._file.reading() as connection:
            trial = trial_row(connection, number)
            kept = numbered_row(connection, "weight", number)
            if kept is None or trial is None:
                rows = connection.execute("SELECT * FROM weight NOT INDEXED")
                check_count(connection, "weights", checked_others(rows, number))
                return None
            outcome = form.trial(trial, number).outcome
            if outcome is None or outcome.state != "COMPLETE":
                raise Damage(f"trial {number} has weights but is not complete")
            return read_weights(kept, numbered_row(connection, "layout", kept[1]), number)

    def weighted(self) -> list[int]:
        """The numbers of the trials whose weights are kept, ascending."""
        with self._file.reading() as connection:
            rows = connection.execute("SELECT number FROM weight NOT INDEXED ORDER BY number")
            numbers = [number for (number,) in rows]
            check_count(connection, "weights", len(numbers))
            if numbers and not 0 <= numbers[0] <= numbers[-1] < sealed_count(connection, "trials"):
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
            check_count(connection, "runs", len(found))
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
            expected, trials = sealed_counts(connection, "settings", "trials")
            found = connection.execute(
                f"SELECT key, value FROM {_SETTING} ORDER BY key LIMIT ?", (_MOST_SETTINGS,)
            )
            source = expected, found.fetchall()
            if self._recorded is None or self._recorded[0] != source:
                read = read_settings(source[1], expected)
                check_findings(read[2], read[0].spec, trials)
                self._recorded = source, read
            return self._recorded[1]

    def _forms(self) -> Forms:
        """The formats of this study's rows; the settings behind them do not change."""
        if self._known is None:
            self._known = Forms.of(self.settings())
        return self._known


def _record(connection: sqlite3.Connection, rows: Sequence[tuple[str, str]]) -> None:
    connection.executemany("INSERT INTO setting VALUES (?, ?)", rows)
    connection.execute("UPDATE seal NOT INDEXED SET settings = ?", (digest(rows),))
