"""Trains the trials of a function one after the other, in a process that is used again."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xortune.engines.function.calls import Called
from xortune.engines.function.child import Job, Task
from xortune.engines.function.process import ChildProcess, Ended, TooLong
from xortune.errors import NoEngineError
from xortune.problems.code.code import Code
from xortune.problems.function.declared import FOLD, FOLDS
from xortune.spec import ProblemSpec
from xortune.trial import Lane, Outcome, State
from xortune.wording import option

_log = logging.getLogger("xortune")

# A trial whose process ended is tried once more.
_TRIES = 2
PROBE = -1  # the number of a trial that asks only whether a process can be started


@dataclass(frozen=True)
class Calls:
    """What is called, and how.

    Attributes:
        code: the function's.
        spec: the problem's.
        study_seed: from which, with its number, each trial is seeded.
        trial_timeout: the most seconds of a trial; None for any number.
        verbose: whether to show what the function prints.
        folder: the current folder of its process, if there is such a folder.
        folds: the parts of the rows that validate in turn; None for no folds.
    """

    code: Code
    spec: ProblemSpec
    study_seed: int
    trial_timeout: float | None = None
    verbose: bool = False
    folder: str | None = None
    folds: int | None = None


class FunctionTrainer:
    """See `xortune.engines.engine.Trainer`.

    A function runs to its end, or to a limit that it misses, so no trial pauses.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._child: ChildProcess | None = None
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._told: set[str] = set()
        self._printed = False
        self._told_of_output = False

    def train(
        self,
        lanes: Sequence[Lane],
        log_every: int | None,
        heartbeat: Callable[[], None] = lambda: None,
        until: int | None = None,
    ) -> list[Outcome]:
        waiting = deque(map(self._task, lanes))
        try:
            if [task.number for task in waiting] == [PROBE]:
                self._loaded(heartbeat)
                return [self._probed()]
            outcomes = self._outcomes(waiting, log_every, heartbeat)
            self._tell_of_output()
            return outcomes
        except BaseException:
            self._end_child()
            raise

    def _task(self, lane: Lane) -> Task:
        config: dict[str, Any] = dict(lane.params)
        if lane.fold is not None:
            config |= {FOLD: lane.fold, FOLDS: self._calls.folds}
        return Task(lane.number, config, lane.seed, lane.limits)

    def _outcomes(
        self, waiting: deque[Task], log_every: int | None, heartbeat: Callable[[], None]
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        tries = 0
        while waiting:
            child = self._loaded(heartbeat)
            child.send(waiting, log_every)
            while waiting:
                started = time.perf_counter()
                try:
                    answer = child.receive(heartbeat, self._calls.trial_timeout)
                except (Ended, TooLong) as end:
                    self._end_child()
                    tries += 1
                    if isinstance(end, Ended) and tries < _TRIES:
                        break
                    outcomes.append(self._failed(end, time.perf_counter() - started))
                else:
                    outcomes.append(self._outcome(answer))
                waiting.popleft()
                tries = 0
                if self._child is None:
                    break
        return outcomes

    def _loaded(self, heartbeat: Callable[[], None]) -> ChildProcess:
        """The process, which is started if there is none.

        Raises:
            NoEngineError: the code cannot be loaded.
        """
        if self._child is not None and self._child.runs:
            return self._child
        self._end_child()
        code = self._calls.code
        # A live object refers to modules where this process found them.
        path = () if code.live is None else tuple(entry or str(Path.cwd()) for entry in sys.path)
        calls = self._calls
        job = Job(code, calls.spec, calls.study_seed, path, calls.verbose)
        self._child = ChildProcess(job, calls.folder)
        try:
            self._child.wait_until_loaded(heartbeat)
        except Ended as end:
            raise NoEngineError(
                f"the process that calls the function does not start: {end}"
            ) from None
        return self._child

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def _outcome(self, answer: Called) -> Outcome:
        self._warn(answer.unknown)
        self._printed |= answer.printed
        if answer.scores is None:
            return Outcome(
                "FAIL", None, answer.curve, None, answer.duration_s, self._worker, answer.error
            )
        scores = self._calls.spec.scores(answer.scores)
        state: State = "PRUNED" if answer.pruned else "COMPLETE"
        return Outcome(state, scores, answer.curve, None, answer.duration_s, self._worker)

    def _failed(self, end: Ended | TooLong, duration_s: float) -> Outcome:
        error = str(end)
        if isinstance(end, TooLong):
            error = f"took longer than {self._calls.trial_timeout:g} s"
        return Outcome("FAIL", duration_s=duration_s, worker=self._worker, error=error)

    def _probed(self) -> Outcome:
        spec = self._calls.spec
        scores = spec.scores([0.0] * len(spec.metrics))
        return Outcome("COMPLETE", scores, duration_s=0.0, worker=self._worker)

    def _warn(self, unknown: Sequence[str]) -> None:
        """Says once which metrics are ignored."""
        new = [name for name in unknown if name not in self._told]
        if new:
            self._told.update(new)
            _log.warning(
                f"metrics that the problem does not declare are ignored: {', '.join(new)}. To "
                f"record them, begin a new study with Problem(..., metrics={new!r})."
            )

    def _tell_of_output(self) -> None:
        """Says once that the function prints where nobody sees it."""
        if self._printed and not self._told_of_output:
            self._told_of_output = True
            shows = option("verbose", True)
            _log.warning(f"what the function prints is hidden; {shows} shows it.")
