"""Trains a pack: in blocks of lanes, each lane for its own number of epochs."""

from __future__ import annotations

import os
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from xortune.engines.collection import no_collection
from xortune.engines.mlp.arrays import Shared
from xortune.engines.mlp.block import Block
from xortune.engines.mlp.grouping import Cost, cost_of, sort_of_batch
from xortune.engines.mlp.lane import State
from xortune.engines.mlp.native.library import CFunctions
from xortune.engines.mlp.shapes import block_bytes
from xortune.engines.mlp.training import Training
from xortune.engines.mlp.turns import train_all
from xortune.problems.table.rows import Fold
from xortune.spec import ProblemSpec
from xortune.trial import Lane, Outcome

# Sets `found` of lanes that have ended, by their places in a block.
Score = Callable[[Block, Mapping[int, Training]], None]


class BlockTrainer(ABC):
    """See `xortune.engines.engine.Trainer`. Tables and modules add what is theirs alone.

    A trial's outcome has the same bits in any pack, at any position in it, and wherever its
    training pauses, except for `duration_s`.

    Args:
        spec: with the loss and the objectives of the study.
        functions: those of C.
    """

    def __init__(self, spec: ProblemSpec, functions: CFunctions) -> None:
        self._spec = spec
        self._functions = functions

    def train(
        self,
        lanes: Sequence[Lane],
        log_every: int | None,
        heartbeat: Callable[[], None] = lambda: None,
        until: int | None = None,
    ) -> list[Outcome]:
        heartbeat()
        assert self._spec.loss is not None
        with no_collection(), self._around():
            shared = Shared()
            trainings = [self._begun(lane, log_every, until, heartbeat) for lane in lanes]
            score = partial(self._score, heartbeat)
            for some, fold in self._together([one for one in trainings if not one.error]):
                cost = cost_of(fold)
                about = fold, self._spec.loss, self._functions, shared, cost, score, heartbeat
                train_all(some, cost, partial(_Run, *about))
            worker = f"{socket.gethostname()}:{os.getpid()}"
            return [training.outcome(self._spec, worker) for training in trainings]

    def _together(self, trainings: Sequence[Training]) -> Iterator[tuple[list[Training], Fold]]:
        """Lanes that can share blocks: those of some rows, whose batches have common portions."""
        every: dict[tuple[int, int, bool], tuple[list[Training], Fold]] = {}
        for training in trainings:
            values, fold = training.params, self._rows(training)
            sort = sort_of_batch(values["batch_size"], len(fold.training.x))
            # A linear model has no hidden layer that the others could pass by.
            key = id(fold), sort, values["depth"] == 0
            every.setdefault(key, ([], fold))[0].append(training)
        yield from every.values()

    def _around(self) -> AbstractContextManager[object]:
        """Entered while a pack trains."""
        return nullcontext()

    def _begun(
        self, lane: Lane, log_every: int | None, until: int | None, heartbeat: Callable[[], None]
    ) -> Training:
        """A lane with what it needs beside its parameters."""
        return Training(lane, log_every, until)

    @abstractmethod
    def _rows(self, training: Training) -> Fold:
        """The rows of a lane; the same object for all lanes that have the same."""

    @abstractmethod
    def _score(
        self, heartbeat: Callable[[], None], block: Block, trainings: Mapping[int, Training]
    ) -> None:
        """Sets `found` of lanes of a block, by their places."""


class _Run:
    """A block in training; see `xortune.engines.mlp.turns.Run`.

    Args:
        fold: the rows of its lanes.
        loss: the name of the final loss.
        functions, shared, heartbeat: as in `Block`.
        cost: of its lanes.
        score: measures lanes of a block that have ended, by their places.
        trainings: the lanes.
    """

    def __init__(
        self,
        fold: Fold,
        loss: str,
        functions: CFunctions,
        shared: Shared,
        cost: Cost,
        score: Score,
        heartbeat: Callable[[], None],
        trainings: list[Training],
    ) -> None:
        self._heartbeat = heartbeat
        self._measure = score
        params = [t.params for t in trainings]
        self._block = Block(params, fold, loss, functions, shared)
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
        fresh, drawn = [], []
        for place, training in enumerate(self._trainings):
            state, paused = training.state, training.lane.paused
            if state is None and paused is not None:
                state = self._block.resumed(place, training.params, paused)
            if state is None:
                fresh.append(place)
                if training.initial is None:
                    drawn.append(place)
                    continue
                state = State.initial(training.initial)
            training.state, training.progress = None, state.progress
            self._block.put(place, state)
        if drawn:
            self._block.begin(drawn)
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
        self._measure(self._block, {place: self._trainings[place] for place in self._ended})
        self._ended.clear()
