"""Trains a pack of a table: in blocks of lanes, each lane for its own number of epochs."""

from __future__ import annotations

import operator
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.engines.collection import no_collection
from xortune.engines.curve_points import Points, fault_of
from xortune.engines.mlp.block import Block
from xortune.engines.mlp.lane import Progress
from xortune.engines.mlp.native.library import LANES, CFunctions
from xortune.engines.reference_rows import is_reference, reference_fold
from xortune.problems.table.measures import measured
from xortune.problems.table.rows import Fold
from xortune.problems.table.weights import layout_of
from xortune.spec import ProblemSpec
from xortune.trial import NO_CURVE, Lane, Outcome, Weights


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
        outcomes: dict[int, Outcome] = {}
        heartbeat()
        with no_collection():
            for places, fold in self._blocks(lanes):
                some = [lanes[place] for place in places]
                run = _Run(some, fold, self._spec, self._functions, log_every)
                outcomes.update(zip(places, run.outcomes(heartbeat, until)))
        return [outcomes[place] for place in range(len(lanes))]

    def _blocks(self, lanes: Sequence[Lane]) -> Iterator[tuple[list[int], Fold]]:
        """The places of lanes that train in a block: those of one table and one batch size.

        Lanes of similar size come together, since a block is as large as its largest.
        """
        every: dict[tuple[int, int, bool], list[int]] = {}
        for place, lane in enumerate(lanes):
            every.setdefault(self._key(lane), []).append(place)
        for (which, _, _), places in every.items():
            sizes: list[tuple[Any, Any]]
            sizes = [(lanes[i].params["depth"], lanes[i].params["width"]) for i in places]
            ordered = [places[i] for i in neighbours(sizes)]
            for start in range(0, len(ordered), LANES):
                yield ordered[start : start + LANES], self._rows(which)

    def _key(self, lane: Lane) -> tuple[int, int, bool]:
        values: dict[str, Any] = dict(lane.params)
        which = -1 if lane.fold is None else lane.fold
        which = -2 if is_reference(values) else which
        rows = len(self._rows(which).training.x)
        # A linear model has no hidden layer that the others could pass by.
        return which, min(values["batch_size"], rows), values["depth"] == 0

    def _rows(self, which: int) -> Fold:
        if which == -2:
            return self._reference
        return self._fold if which == -1 else self._folds[which]


def neighbours(sizes: Sequence[tuple[int, int]]) -> list[int]:
    """The places of some depths and widths in an order in which neighbours are of similar size.

    The deepest come first; among lanes of a depth the width falls, and of the next depth it rises,
    so that no narrow deep lanes share a block with wide flat ones.
    """
    depths = sorted({depth for depth, _ in sizes}, reverse=True)
    sign = {depth: (-1, 1)[rank % 2] for rank, depth in enumerate(depths)}

    def key(place: int) -> tuple[int, int]:
        depth, width = sizes[place]
        return -depth, sign[depth] * width

    return sorted(range(len(sizes)), key=key)


@dataclass
class _Training:
    """A lane of a block in training."""

    params: dict[str, Any]
    progress: Progress
    points: Points


class _Run:
    """A block from its start to the end of its last lane."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        fold: Fold,
        spec: ProblemSpec,
        functions: CFunctions,
        log_every: int | None,
    ) -> None:
        assert spec.loss is not None
        self._fold, self._spec = fold, spec
        params: list[dict[str, Any]] = [dict(lane.params) for lane in lanes]
        self._block = Block(params, fold, spec.loss, functions)
        self._trainings: list[_Training] = []
        self._fresh = [lane.paused is None for lane in lanes]
        for place, (lane, values) in enumerate(zip(lanes, params)):
            state = self._block.state_of(place, values, lane.paused)
            curve = NO_CURVE if lane.paused is None else lane.paused.curve
            points = Points(log_every, values["epochs"], curve)
            self._trainings.append(_Training(values, state.progress, points))
            self._block.put(place, state)
        self._outcomes: dict[int, Outcome] = {}
        self._worker = f"{socket.gethostname()}:{os.getpid()}"

    def outcomes(self, heartbeat: Callable[[], None], until: int | None) -> list[Outcome]:
        """Trains the lanes; returns their outcomes in order."""
        started = time.perf_counter()
        before = [training.progress.epoch for training in self._trainings]
        self._begin(heartbeat)
        while True:
            self._end(heartbeat, until)
            left = [i for i in range(len(self._trainings)) if i not in self._outcomes]
            if not left:
                break
            self._advance(left, heartbeat, until)
        elapsed = time.perf_counter() - started
        epochs = [t.progress.epoch - b + 1 for t, b in zip(self._trainings, before)]
        return [
            replace(
                self._outcomes[i], duration_s=elapsed * share / sum(epochs), worker=self._worker
            )
            for i, share in enumerate(epochs)
        ]

    def _begin(self, heartbeat: Callable[[], None]) -> None:
        """Measures the initial weights."""
        if not any(self._fresh):
            return
        own, final = self._block.own_losses(heartbeat), self._block.validated(heartbeat)
        for place, training in enumerate(self._trainings):
            if self._fresh[place]:
                training.progress.training = own[place]
                training.progress.validation = final[place]

    def _advance(
        self, left: Sequence[int], heartbeat: Callable[[], None], until: int | None
    ) -> None:
        """Trains the lanes that are left, until one of them may end."""
        ends = [_end_of(self._trainings[place], until) for place in left]
        epochs = [self._trainings[place].progress.epoch for place in left]
        losses = self._block.advance(min(map(operator.sub, ends, epochs)), heartbeat)
        lists = losses.transpose(2, 1, 0).tolist()
        for place in left:
            training = self._trainings[place]
            training.points.pass_by(training.progress)
            before, after = lists[place]
            training.points.add(training.progress.epoch, before[:-1], after[:-1])
            self._block.update(place, training.progress, (before[-1], after[-1]))

    def _end(self, heartbeat: Callable[[], None], until: int | None) -> None:
        """Gives the lanes that have ended, or reached the pause, their outcomes."""
        ended = []
        for place, training in enumerate(self._trainings):
            progress, values = training.progress, training.params
            if place in self._outcomes:
                continue
            if progress.failed:
                self._outcomes[place] = self._failure(training)
                self._block.rest(place)
            elif progress.finished(values["epochs"], values["early_stopping"]) or (
                until is not None and progress.epoch >= until
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

    def _failure(self, training: _Training) -> Outcome:
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


def _end_of(training: _Training, until: int | None) -> int:
    """The epoch at which a lane pauses, or ends at the latest."""
    epochs: int = training.params["epochs"]
    return epochs if until is None else min(until, epochs)
