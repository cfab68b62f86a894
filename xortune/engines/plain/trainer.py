"""Trains a pack trial after trial."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from xortune.engines.curve_points import Points, fault_of
from xortune.engines.plain.pausing import paused_state, resume
from xortune.engines.plain.training import Learner, Training
from xortune.engines.user_code import UserError
from xortune.problems.table.arithmetic import undisturbed
from xortune.spec import ProblemSpec
from xortune.trial import NO_CURVE, Lane, Outcome, Weights

# Makes the learner of a trial: of its parameters, its fold if there are folds, and the heartbeat.
MakeLearner = Callable[[Mapping[str, Any], int | None, Callable[[], None]], Learner]


class PlainTrainer:
    """See `xortune.engines.engine.Trainer`.

    A trial's outcome has the same bits in any pack and wherever its training pauses, except for
    `duration_s`, which is its own time.

    Args:
        spec: with the loss and the objectives of the study.
        learner: makes the learner of a trial.
        around: entered while a pack trains.
    """

    def __init__(
        self,
        spec: ProblemSpec,
        learner: MakeLearner,
        around: Callable[[], AbstractContextManager[object]] = undisturbed,
    ) -> None:
        self._spec = spec
        self._learner = learner
        self._around = around

    def train(
        self,
        lanes: Sequence[Lane],
        log_every: int | None,
        heartbeat: Callable[[], None] = lambda: None,
        until: int | None = None,
    ) -> list[Outcome]:
        worker = f"{socket.gethostname()}:{os.getpid()}"
        outcomes = []
        with self._around():
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
        curve = NO_CURVE if state is None else state.curve
        points = Points(log_every, values["epochs"], curve)
        try:
            training = Training(values, self._learner(values, lane.fold, heartbeat), heartbeat)
            if state is None:
                training.start()
            else:
                resume(training, values, state)
            while not (training.failed or training.finished):
                if until is not None and training.progress.epoch >= until:
                    break
                points.pass_by(training.progress)
                training.advance()
            return self._outcome(training, values, points)
        except UserError as error:
            return Outcome("FAIL", None, points.curve(), error=str(error))

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
        learner = training.learner
        found = {"train_loss": learner.own_loss(), **learner.scores()}
        fault = fault_of(self._spec, found, progress.best_epoch)
        if fault is not None and ends:
            return Outcome("FAIL", None, curve, error=fault)
        if fault is not None:  # Its best weights may be others when it ends.
            return Outcome("RUNNING", None, curve, paused=state)
        found["best_epoch"] = float(progress.best_epoch)
        scores = self._spec.scores(found[name] for name in self._spec.metric_names)
        trained = scores, curve, Weights(learner.layout, learner.content())
        return Outcome("COMPLETE" if ends else "RUNNING", *trained, paused=state)
