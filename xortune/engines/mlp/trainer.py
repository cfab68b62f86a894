"""Trains a pack of a table: in blocks of lanes, each lane for its own number of epochs."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.engines.collection import no_collection
from xortune.engines.curve_points import fault_of
from xortune.engines.mlp.block import Block
from xortune.engines.mlp.grouping import Cost, cost_of, sort_of_batch
from xortune.engines.mlp.native.library import CFunctions
from xortune.engines.mlp.shapes import block_bytes
from xortune.engines.mlp.training import Training
from xortune.engines.mlp.turns import train_all
from xortune.engines.reference_rows import is_reference, reference_fold
from xortune.problems.table.measures import measured
from xortune.problems.table.rows import Fold
from xortune.problems.table.weights import layout_of
from xortune.spec import ProblemSpec
from xortune.trial import Lane, Outcome, Weights


class MlpTrainer:
    """See `xortune.engines.engine.Trainer`.

    A trial's outcome has the same bits in any pack, at any position in it, and wherever its
    training pauses, except for `duration_s`.

    Args:
        fold: the rows of a lane that names none.
        folds: those among which `Lane.fold` chooses.
        spec: the table's, with the loss and the objectives of the study.
        functions: those of C.
    """

    def __init__(
        self, fold: Fold, folds: Sequence[Fold], spec: ProblemSpec, functions: CFunctions
    ) -> None:
        self._fold = fold
        self._folds = tuple(folds)
        self._spec = spec
        self._functions = functions
        self._reference = reference_fold(fold.target)

    def train(
        self,
        lanes: Sequence[Lane],
        log_every: int | None,
        heartbeat: Callable[[], None] = lambda: None,
        until: int | None = None,
    ) -> list[Outcome]:
        heartbeat()
        with no_collection():
            trainings = [Training(lane, log_every, until) for lane in lanes]
            for some, fold in self._together(trainings):
                cost = cost_of(fold)
                train_all(
                    some, cost, partial(_Run, fold, self._spec, self._functions, cost, heartbeat)
                )
            worker = f"{socket.gethostname()}:{os.getpid()}"
            return [training.finished(worker) for training in trainings]

    def _together(self, trainings: Sequence[Training]) -> Iterator[tuple[list[Training], Fold]]:
        """Lanes that can share blocks: those of one table, whose batches have common portions."""
        every: dict[tuple[int, int, bool], list[Training]] = {}
        for training in trainings:
            every.setdefault(self._key(training.lane), []).append(training)
        for (which, _, _), some in every.items():
            yield some, self._rows(which)

    def _key(self, lane: Lane) -> tuple[int, int, bool]:
        values: dict[str, Any] = dict(lane.params)
        which = -1 if lane.fold is None else lane.fold
        which = -2 if is_reference(values) else which
        rows = len(self._rows(which).training.x)
        # A linear model has no hidden layer that the others could pass by.
        return which, sort_of_batch(values["batch_size"], rows), values["depth"] == 0

    def _rows(self, which: int) -> Fold:
        if which == -2:
            return self._reference
        return self._fold if which == -1 else self._folds[which]


class _Run:
    """A block in training; see `xortune.engines.mlp.turns.Run`."""

    def __init__(
        self,
        fold: Fold,
        spec: ProblemSpec,
        functions: CFunctions,
        cost: Cost,
        heartbeat: Callable[[], None],
        trainings: list[Training],
    ) -> None:
        assert spec.loss is not None
        self._fold, self._spec, self._heartbeat = fold, spec, heartbeat
        self._block = Block([t.params for t in trainings], fold, spec.loss, functions)
        self._trainings = trainings
        self._fresh = [t.state is None and t.lane.paused is None for t in trainings]
        for place, training in enumerate(trainings):
            state = training.state or self._block.state_of(
                place, training.params, training.lane.paused
            )
            training.state, training.progress = None, state.progress
            self._block.put(place, state)
        self._outcomes: dict[int, Outcome] = {}
        self.epoch_s = cost.of_block([t.kind for t in trainings])
        self.bytes = block_bytes(self._block.shape, len(fold.training.x))
        started = time.perf_counter()
        self._begin(heartbeat)
        self._end(heartbeat)
        self._note(time.perf_counter() - started, [1] * len(trainings))

    @property
    def left(self) -> list[Training]:
        return [self._trainings[place] for place in self._left]

    @property
    def _left(self) -> list[int]:
        return [place for place in range(len(self._trainings)) if place not in self._outcomes]

    def train(self, epochs: int) -> None:
        started = time.perf_counter()
        before = [training.progress.epoch for training in self._trainings]
        while epochs > 0 and (left := self._left):
            epochs -= self._advance(left, epochs, self._heartbeat)
            self._end(self._heartbeat)
        trained = [t.progress.epoch - b for t, b in zip(self._trainings, before)]
        self._note(time.perf_counter() - started, trained)

    def leave(self) -> None:
        for place in self._left:
            training = self._trainings[place]
            training.state = self._block.state(place, training.progress)
        del self._block  # Its memory is wanted for the next ones.

    def _note(self, elapsed_s: float, epochs: Sequence[int]) -> None:
        """Notes the lanes' outcomes, and their shares of the time, by the epochs of each."""
        for place, (training, share) in enumerate(zip(self._trainings, epochs)):
            training.outcome = self._outcomes.get(place)
            training.spent_s += elapsed_s * share / sum(epochs)

    def _begin(self, heartbeat: Callable[[], None]) -> None:
        """Measures the initial weights."""
        if not any(self._fresh):
            return
        own, final = self._block.own_losses(heartbeat), self._block.validated(heartbeat)
        for place, training in enumerate(self._trainings):
            if self._fresh[place]:
                training.progress.training = own[place]
                training.progress.validation = final[place]

    def _advance(self, left: Sequence[int], epochs: int, heartbeat: Callable[[], None]) -> int:
        """Trains the lanes that are left, until one of them may end; returns for how long."""
        epochs = min(epochs, *(self._trainings[place].left for place in left))
        losses = self._block.advance(epochs, heartbeat)
        lists = losses.transpose(2, 1, 0).tolist()
        for place in left:
            training = self._trainings[place]
            training.points.pass_by(training.progress)
            before, after = lists[place]
            training.points.add(training.progress.epoch, before[:-1], after[:-1])
            self._block.update(place, training.progress, (before[-1], after[-1]))
        return len(losses)

    def _end(self, heartbeat: Callable[[], None]) -> None:
        """Gives the lanes that have ended, or reached the pause, their outcomes."""
        ended = []
        for place, training in enumerate(self._trainings):
            progress, values = training.progress, training.params
            if place in self._outcomes:
                continue
            if progress.failed:
                self._outcomes[place] = self._failure(training)
                self._block.rest(place)
            elif training.left <= 0 or progress.finished(
                values["epochs"], values["early_stopping"]
            ):
                ended.append(place)
        if not ended:
            return
        own = self._block.own_losses(heartbeat, "best")
        final, outputs = self._block.outputs(heartbeat)
        for place in ended:
            found = {"train_loss": own[place], **self._scores(outputs[:, :, place], final[place])}
            self._outcomes[place] = self._outcome(place, found)
            self._block.rest(place)

    def _scores(self, outputs: NDArray[np.float32], final: float) -> dict[str, float]:
        """The table's metrics; the final loss is that of C, as in the curve."""
        found = measured(self._fold.target, outputs, self._fold.validation.y)
        assert self._spec.loss is not None
        found[self._spec.loss] = final
        return found

    def _failure(self, training: Training) -> Outcome:
        progress = training.progress
        error = f"loss is not finite at epoch {progress.epoch}"
        return Outcome("FAIL", None, training.points.curve(progress), error=error)

    def _outcome(self, place: int, found: dict[str, float]) -> Outcome:
        training = self._trainings[place]
        progress, values, points = training.progress, training.params, training.points
        ends = progress.finished(values["epochs"], values["early_stopping"])
        curve = points.curve(progress)
        state = None
        if not ends:
            state = self._block.state(place, progress).paused(values, points.curve())
        fault = fault_of(self._spec, found, progress.best_epoch)
        if fault is not None and ends:
            return Outcome("FAIL", None, curve, error=fault)
        if fault is not None:  # Its best weights may be others when it ends.
            return Outcome("RUNNING", None, curve, paused=state)
        found["best_epoch"] = float(progress.best_epoch)
        scores = self._spec.scores(found[name] for name in self._spec.metric_names)
        target = self._fold.target
        layout = layout_of(self._fold.training.x.shape[1], target.outputs, values)
        content = np.ascontiguousarray(self._block.numbers(place, "best"), "<f4").tobytes()
        trained = scores, curve, Weights(layout, content)
        return Outcome("COMPLETE" if ends else "RUNNING", *trained, paused=state)
