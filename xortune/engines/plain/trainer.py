"""Trains a pack of a table, trial after trial."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xortune.engines.curve_points import Points, fault_of
from xortune.engines.plain.pausing import paused_state, resume
from xortune.engines.plain.training import Lesson, Training
from xortune.engines.reference_rows import is_reference, reference_fold
from xortune.problems.table.arithmetic import undisturbed
from xortune.problems.table.rows import Fold, Rows, Target
from xortune.spec import ProblemSpec
from xortune.trial import NO_CURVE, Lane, Outcome, Weights


class PlainTrainer:
    """See `xortune.engines.engine.Trainer`.

    A trial's outcome has the same bits in any pack and wherever its training pauses, except for
    `duration_s`, which is its own time.

    Args:
        training: the rows that trials learn from.
        validation: those that they are compared on.
        target: what is learnt.
        spec: the table's, with the loss and the objectives of the study.
        folds: of the rows, among which `Lane.fold` chooses.
    """

    def __init__(
        self,
        training: Rows,
        validation: Rows,
        target: Target,
        spec: ProblemSpec,
        folds: Sequence[Fold] = (),
    ) -> None:
        assert spec.loss is not None
        self._spec = spec
        self._lesson = Lesson(training, validation, target, spec.loss)
        self._folds = [Lesson(*fold, spec.loss) for fold in folds]

    def train(
        self,
        lanes: Sequence[Lane],
        log_every: int | None,
        heartbeat: Callable[[], None] = lambda: None,
        until: int | None = None,
    ) -> list[Outcome]:
        worker = f"{socket.gethostname()}:{os.getpid()}"
        outcomes = []
        with undisturbed():
            for lane in lanes:
                started = time.perf_counter()
                heartbeat()
                outcome = self._trained(lane, log_every, heartbeat, until)
                seconds = time.perf_counter() - started
                outcomes.append(replace(outcome, duration_s=seconds, worker=worker))
        return outcomes

    def _trained(
        self,
        lane: Lane,
        log_every: int | None,
        heartbeat: Callable[[], None],
        until: int | None,
    ) -> Outcome:
        values: dict[str, Any] = dict(lane.params)
        state = lane.paused
        lesson = self._lesson if lane.fold is None else self._folds[lane.fold]
        if is_reference(values):
            lesson = Lesson(*reference_fold(lesson.target), lesson.loss)
        training = Training(values, lesson, heartbeat)
        if state is None:
            training.start()
        else:
            resume(training, values, state)
        points = Points(log_every, values["epochs"], NO_CURVE if state is None else state.curve)
        while not (training.failed or training.finished):
            if until is not None and training.progress.epoch >= until:
                break
            points.pass_by(training.progress)
            training.advance()
        return self._outcome(training, values, points)

    def _outcome(self, training: Training, params: dict[str, Any], points: Points) -> Outcome:
        """The outcome of a trial that has failed, ended, or reached its pause."""
        progress = training.progress
        curve = points.curve(progress)
        if training.failed:
            return Outcome(
                "FAIL", None, curve, error=f"loss is not finite at epoch {progress.epoch}"
            )
        ends = training.finished
        state = None if ends else paused_state(training, params, points.curve())
        training.use_best()
        found = {"train_loss": training.own_loss(), **training.scores()}
        fault = fault_of(self._spec, found, progress.best_epoch)
        if fault is not None and ends:
            return Outcome("FAIL", None, curve, error=fault)
        if fault is not None:  # Its best weights may be others when it ends.
            return Outcome("RUNNING", None, curve, paused=state)
        found["best_epoch"] = float(progress.best_epoch)
        scores = self._spec.scores(found[name] for name in self._spec.metric_names)
        content = np.ascontiguousarray(training.best.numpy(), "<f4").tobytes()
        trained = scores, curve, Weights(training.layout, content)
        return Outcome("COMPLETE" if ends else "RUNNING", *trained, paused=state)
