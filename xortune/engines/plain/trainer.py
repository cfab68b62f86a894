"""Trains a pack of a table, trial after trial."""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xortune.engines.plain.pausing import paused_state, resume
from xortune.engines.plain.reference import is_reference, reference_lesson
from xortune.engines.plain.training import Lesson, Progress, Training
from xortune.problems.table.arithmetic import undisturbed
from xortune.problems.table.rows import Fold, Rows, Target
from xortune.spec import ProblemSpec
from xortune.trial import NO_CURVE, Curve, Lane, Outcome, Weights

# Points of a curve, at most, before the last epoch, unless the user says how many.
_POINTS = 50
_SERIES = ("training", "validation")
_Point = tuple[int, float, float]  # epoch, then the series


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
            lesson = reference_lesson(self._lesson)
        training = Training(values, lesson, heartbeat)
        every = log_every or math.ceil(values["epochs"] / _POINTS)
        if state is None:
            training.start()
        else:
            resume(training, values, state)
        points = _Points(every, NO_CURVE if state is None else state.curve)
        while not (training.failed or training.finished):
            if until is not None and training.progress.epoch >= until:
                break
            points.pass_by(training.progress)
            training.advance()
        return self._outcome(training, values, points)

    def _outcome(self, training: Training, params: dict[str, Any], points: _Points) -> Outcome:
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
        fault = self._fault(found, progress.best_epoch)
        if fault is not None and ends:
            return Outcome("FAIL", None, curve, error=fault)
        if fault is not None:  # Its best weights may be others when it ends.
            return Outcome("RUNNING", None, curve, paused=state)
        found["best_epoch"] = float(progress.best_epoch)
        scores = self._spec.scores(found[name] for name in self._spec.metric_names)
        content = np.ascontiguousarray(training.best.numpy(), "<f4").tobytes()
        trained = scores, curve, Weights(training.layout, content)
        return Outcome("COMPLETE" if ends else "RUNNING", *trained, paused=state)

    def _fault(self, found: Mapping[str, float], epoch: int) -> str | None:
        """Why the metrics of a trial cannot be ranked."""
        needed = {"train_loss", self._spec.loss, *(o.metric for o in self._spec.objectives)}
        for name, value in found.items():
            if math.isinf(value) or (math.isnan(value) and name in needed):
                if name == "train_loss" or self._spec.metric(name).kind == "loss":
                    return f"loss is not finite at epoch {epoch}"
                return f"{name} has no value on these validation rows"
        return None


class _Points:
    """The points of a trial's curve: every so many epochs, and the last.

    Args:
        every: epochs between two points.
        earlier: the points of a trial that continues.
    """

    def __init__(self, every: int, earlier: Curve = NO_CURVE) -> None:
        self._every = every
        series = (earlier.series[name] for name in _SERIES if earlier.epochs)
        self._points: list[_Point] = [*zip(earlier.epochs, *series)]

    def pass_by(self, progress: Progress) -> None:
        """Keeps the epoch if it is a point."""
        if progress.epoch % self._every == 0:
            self._points.append(_point(progress))

    def curve(self, *last: Progress) -> Curve:
        """The points so far, and the last one if it is given."""
        points = self._points + [_point(progress) for progress in last]
        epochs, *series = zip(*points) if points else ((), (), ())
        return Curve(epochs, dict(zip(_SERIES, series)))


def _point(progress: Progress) -> _Point:
    return progress.epoch, progress.training, progress.validation
