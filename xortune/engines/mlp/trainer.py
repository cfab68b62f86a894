"""Trains a pack of a table: in blocks of lanes, each lane for its own number of epochs."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from xortune.engines.collection import no_collection
from xortune.engines.mlp.arrays import Shared
from xortune.engines.mlp.block import Block
from xortune.engines.mlp.grouping import Cost, cost_of, sort_of_batch
from xortune.engines.mlp.native.library import CFunctions
from xortune.engines.mlp.shapes import block_bytes
from xortune.engines.mlp.training import Training
from xortune.engines.mlp.turns import train_all
from xortune.engines.reference_rows import is_reference, reference_fold
from xortune.problems.table.rows import Fold
from xortune.spec import ProblemSpec
from xortune.trial import Lane, Outcome


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
            shared = Shared()
            trainings = [Training(lane, log_every, until) for lane in lanes]
            for some, fold in self._together(trainings):
                cost = cost_of(fold)
                train_all(
                    some,
                    cost,
                    partial(_Run, fold, self._spec, self._functions, shared, cost, heartbeat),
                )
            worker = f"{socket.gethostname()}:{os.getpid()}"
            return [training.outcome(self._spec, worker) for training in trainings]

    def _together(self, trainings: Sequence[Training]) -> Iterator[tuple[list[Training], Fold]]:
        """Lanes that can share blocks: those of one table, whose batches have common portions."""
        every: dict[tuple[int, int, bool], list[Training]] = {}
        for training in trainings:
            every.setdefault(self._key(training), []).append(training)
        for (which, _, _), some in every.items():
            yield some, self._rows(which)

    def _key(self, training: Training) -> tuple[int, int, bool]:
        values, fold = training.params, training.lane.fold
        which = -1 if fold is None else fold
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
        shared: Shared,
        cost: Cost,
        heartbeat: Callable[[], None],
        trainings: list[Training],
    ) -> None:
        assert spec.loss is not None
        self._heartbeat = heartbeat
        params = [t.params for t in trainings]
        self._block = Block(params, fold, spec.loss, functions, shared)
        self._trainings = trainings
        self._left = [*range(len(trainings))]
        self._ended: list[int] = []
        self._fresh = self._placed()
        self.epoch_s = cost.of_block([t.kind for t in trainings])
        self.bytes = block_bytes(self._block.shape, self._block.room)
        started = time.perf_counter()
        self._begin()
        self._end()
        self._note(time.perf_counter() - started, [1] * len(trainings))

    @property
    def left(self) -> list[Training]:
        return [self._trainings[place] for place in self._left]

    def train(self, epochs: int) -> None:
        started = time.perf_counter()
        before = [training.progress.epoch for training in self._trainings]
        while epochs > 0 and self._left:
            epochs -= self._advance(epochs)
            self._end()
        trained = [t.progress.epoch - b for t, b in zip(self._trainings, before)]
        self._note(time.perf_counter() - started, trained)

    def leave(self) -> None:
        self._score()
        for place in self._left:
            training = self._trainings[place]
            training.state = self._block.state(place, training.progress)
        del self._block  # Its memory is wanted for the next ones.

    def _note(self, elapsed_s: float, epochs: Sequence[int]) -> None:
        """Notes the lanes' shares of the time, by the epochs of each."""
        each = elapsed_s / sum(epochs)
        for training, count in zip(self._trainings, epochs):
            training.spent_s += each * count

    def _placed(self) -> list[int]:
        """Puts the lanes into the block; returns the places of those at their start."""
        fresh = []
        for place, training in enumerate(self._trainings):
            state, paused = training.state, training.lane.paused
            if state is None and paused is not None:
                state = self._block.resumed(place, training.params, paused)
            if state is None:
                fresh.append(place)
                continue
            training.state, training.progress = None, state.progress
            self._block.put(place, state)
        if fresh:
            self._block.begin(fresh)
        return fresh

    def _begin(self) -> None:
        """Measures the initial weights."""
        losses = [*self._block.measured(self._heartbeat)] if self._fresh else []
        for place in self._fresh:
            progress = self._trainings[place].progress
            progress.training, progress.validation = losses[place]

    def _advance(self, epochs: int) -> int:
        """Trains the lanes that are left, until one of them may end; returns for how long."""
        epochs = min(epochs, *(self._trainings[place].left for place in self._left))
        losses = self._block.advance(epochs, self._heartbeat)
        lists = losses.transpose(2, 1, 0).tolist()
        reached = self._block.reached()
        for place in self._left:
            training, (before, after) = self._trainings[place], lists[place]
            progress, points = training.progress, training.points
            points.pass_by(progress)
            points.add(progress.epoch, before[:-1], after[:-1])
            progress.epoch, progress.best_epoch, progress.best = reached[place]
            progress.training, progress.validation = before[-1], after[-1]
        return len(losses)

    def _end(self) -> None:
        """Rests the lanes that have ended, or reached the pause, of which the state is kept."""
        for place in [*self._left]:
            training = self._trainings[place]
            failed, ends = training.progress.failed, training.ends
            if not failed and not ends and training.left > 0:
                continue
            if not failed:
                self._ended.append(place)
            if not failed and not ends:
                state = self._block.state(place, training.progress)
                training.paused = state.paused(training.params, training.points.curve())
            self._block.rest(place)
            self._left.remove(place)
        if not self._left:
            self._score()

    def _score(self) -> None:
        """Measures the best weights of lanes that have ended: of all at once, as late as can be."""
        if not self._ended:
            return
        found = self._block.scored(self._ended, self._heartbeat)
        rows = [*zip(*found.values())]
        for place, weights in zip(self._ended, self._block.best(self._ended)):
            self._trainings[place].found = dict(zip(found, rows[place])), weights
        self._ended.clear()
