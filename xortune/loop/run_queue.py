"""The queue of TensorBoard runs to write."""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.ranking import standing
from xortune.tensorboard.runs import RunWriter
from xortune.trial import FinishedTrial
from xortune.trial_table import TrialTable

# The runner looks at its workers again after this many seconds of writing runs.
_MOMENT_S = 0.02


class RunQueue:
    """Writes the runs of finished trials when there is time, measured by a clock.

    Args:
        writer: of the study's runs.
        clock: measures the writing.
        best: how many of the best trials have runs, which `write_best` writes at the end; None
            for a run of every trial as soon as it is finished.
    """

    def __init__(self, writer: RunWriter, clock: Clock, best: int | None = None) -> None:
        self._writer = writer
        self._clock = clock
        self._best = best
        self._unwritten: deque[FinishedTrial] = deque()

    def add(self, finished: Iterable[FinishedTrial]) -> None:
        if self._best is None:
            self._unwritten.extend(finished)

    def add_missing(self, ledger: Ledger, table: TrialTable) -> None:
        """Adds the finished trials without a run: a crash can come between the two."""
        if self._best is None:
            self._add_those(ledger, table, filter(table.is_finished, range(len(table))))

    def write_best(self, ledger: Ledger) -> None:
        """Writes the missing runs of the best trials, and removes those of others.

        Does nothing where all trials have runs, or none: then those of an earlier search stay.
        """
        if self._best:
            table = ledger.trials()
            best = best_numbers(table, self._best)
            self._writer.keep_only(best)
            self._add_those(ledger, table, sorted(best))
            self.write_all()

    def _add_those(self, ledger: Ledger, table: TrialTable, numbers: Iterable[int]) -> None:
        """Adds those of some trials that have no run."""
        for number in self._writer.missing(numbers):
            outcome = table.outcome(number)
            if outcome is not None:
                outcome = replace(outcome, curve=ledger.curve(number))
                self._unwritten.append(FinishedTrial(table.trial(number), outcome))

    def write_some(self) -> None:
        """Writes runs for a moment."""
        self._write(time.monotonic() + _MOMENT_S)

    def write_all(self) -> None:
        self._write(None)

    def _write(self, until: float | None) -> None:
        with self._clock.writing():
            while self._unwritten and (until is None or time.monotonic() < until):
                self._writer.write(self._unwritten.popleft())


def best_numbers(table: TrialTable, most: int) -> frozenset[int]:
    """The numbers of the best trials, at most so many."""
    spec = table.spec
    ranked = (
        standing(spec, table.trial(number), scores)
        for number in range(len(table))
        if (scores := table.scores(number)) is not None
    )
    return frozenset(number for *_, number in heapq.nsmallest(most, ranked))
