"""One study as it is on the disk, read again where it has changed."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.sampling import Frozen
from xortune.settings import Provenance, StudySettings
from xortune.space import load_space

_HEADER = 28  # bytes of SQLite's header up to the end of the change counter, which a commit raises
# The page draws every curve as a line of its own: 200 take it a second, 10,000 minutes.
_MOST_CURVES = 200
Stamp = tuple[object, ...]


@dataclass(frozen=True)
class Head:
    """What a study is about."""

    settings: StudySettings
    provenance: Provenance

    @property
    def curves_of_every(self) -> int:
        """The trials that have intermediate values: those whose number is a multiple of this."""
        return -(-self.settings.trials // _MOST_CURVES)

    def same_trials(self, other: Head) -> bool:
        """Whether another head can be that of the same study, at another time."""
        here, there = self.settings, other.settings
        return (here.spec, here.space, here.study_seed, here.data) == (
            there.spec, there.space, there.study_seed, there.data,
        )  # fmt: skip


class WatchedStudy:
    """A study, with all of its trials once they were asked for.

    What a method returns is never changed. Methods raise UsageError if the ledger cannot be read.
    Not thread-safe.

    Args:
        paths: the study's.
        first_id: of its trial 0; the others follow.
    """

    def __init__(self, paths: StudyPaths, first_id: int) -> None:
        self.paths = paths
        self._first_id = first_id
        self._head: tuple[Stamp, Head] | None = None
        self._read: Stamp | None = None  # of the ledger, when the trials were read
        self._trials: list[FrozenTrial] = []
        self._digests = array("q")
        self._form: tuple[frozenset[int], int] = frozenset(), 1  # what all trials depend on

    def head(self) -> Head:
        stamp = self.stamp()
        if self._head is None or self._head[0] != stamp:
            with Ledger.read(self.paths) as ledger:
                self._head = stamp, Head(ledger.settings(), ledger.provenance())
        return self._head[1]

    def trials(self) -> Sequence[FrozenTrial]:
        """All trials, by number; only those that have changed are read again."""
        stamp = self.stamp()
        if self._read != stamp:
            head = self.head()
            form = head.provenance.outdated_numbers(), head.curves_of_every
            if form != self._form:
                self._forget()
                self._form = form
            self._update(head)
            self._read = stamp
        return self._trials

    def stamp(self) -> Stamp:
        """Differs once the ledger's content or a lock on it does; taken before reading it."""
        files = (self.paths.ledger, self.paths.journal, *self.paths.log)
        found = [_stat(file) for file in files]
        try:
            with self.paths.ledger.open("rb") as file:
                return *found, file.read(_HEADER)[-4:]
        except OSError as error:
            return *found, error.errno

    def _forget(self) -> None:
        self._trials = []
        self._digests = array("q")

    def _update(self, head: Head) -> None:
        with Ledger.read(self.paths) as ledger:
            if ledger.count_trials() < len(self._digests):
                self._forget()  # An earlier state of the study was restored.
            changes = ledger.changes(self._digests)
        outdated, every = self._form
        frozen = Frozen(load_space(head.settings.space, head.settings.spec), outdated)
        trials = [*self._trials]
        for change in changes:
            number = change.trial.trial.number
            trial = frozen.trial(change.trial, self._first_id + number)
            if number % every:
                trial.intermediate_values = {}
            if number == len(trials):
                trials.append(trial)
                self._digests.append(change.digest)
            else:
                trials[number] = trial
                self._digests[number] = change.digest
        self._trials = trials


def _stat(file: os.PathLike[str]) -> tuple[int, ...] | None:
    try:
        found = os.lstat(file)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
