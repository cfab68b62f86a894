"""The queue of TensorBoard runs to write."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from xortune.ledger import Ledger
from xortune.loop.clock import Clock
from xortune.tensorboard.runs import RunWriter
from xortune.trial import FinishedTrial
from xortune.trial_table import TrialTable

# The runner looks at its workers again after this many seconds of writing runs.
_MOMENT_S = 0.02


class RunQueue:
    """Writes the runs of finished trials when there is time, measured by a clock."""

    def __init__(self, writer: RunWriter, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self._unwritten: deque[FinishedTrial] = deque()

    def add(self, finished: Iterable[FinishedTrial]) -> None:
        self._unwritten.extend(finished)

    def add_missing(self, ledger: Ledger, table: TrialTable) -> None:
        """Adds the finished trials without a run: a crash can come between the two."""
        for number in self._writer.missing(filter(table.is_finished, range(len(table)))):
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
