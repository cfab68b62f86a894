"""Trains a pack of a table: in blocks of lanes, each lane for its own number of epochs."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from xortune.engines.collection import no_collection
from xortune.engines.curve_points import Points
from xortune.engines.mlp.block import Block
from xortune.engines.mlp.lane import Progress
from xortune.engines.mlp.native.library import LANES, CFunctions
from xortune.engines.mlp.outcomes import Share, Training, failure, outcome_of
from xortune.engines.reference_rows import is_reference, reference_fold
from xortune.problems.table.rows import Fold
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
        self._spec = spec
        params: list[dict[str, Any]]
        params = [dict(zip(lane.params, lane.params.row)) for lane in lanes]
        block = self._block = Block(params, fold, spec.loss, functions)
        self._trainings = [
            Training(values, Progress(), Points(log_every, values["epochs"])) for values in params
        ]
        self._fresh = [place for place, lane in enumerate(lanes) if lane.paused is None]
        block.begin(self._fresh)
        for place, lane in enumerate(lanes):
            if lane.paused is not None:
                values = params[place]
                state = block.resumed(place, values, lane.paused)
                block.put(place, state)
                points = Points(log_every, values["epochs"], lane.paused.curve)
                self._trainings[place] = Training(values, state.progress, points)
        self._left = [*range(len(lanes))]
        self._worker = f"{socket.gethostname()}:{os.getpid()}"

    def outcomes(self, heartbeat: Callable[[], None], until: int | None) -> list[Outcome]:
        """Trains the lanes; returns their outcomes in order."""
        started = time.perf_counter()
        before = [training.progress.epoch for training in self._trainings]
        self._begin(heartbeat)
        self._end(until)
        while self._left:
            self._advance(heartbeat, until)
            self._end(until)
        scored = [i for i, t in enumerate(self._trainings) if not t.progress.failed]
        found = self._scores(scored, heartbeat)
        elapsed = time.perf_counter() - started
        epochs = [t.progress.epoch - b + 1 for t, b in zip(self._trainings, before)]
        each = elapsed / sum(epochs)
        return [
            self._outcome(place, found.get(place), each * count)
            for place, count in enumerate(epochs)
        ]

    def _begin(self, heartbeat: Callable[[], None]) -> None:
        """Measures the initial weights."""
        losses = [*self._block.measured(heartbeat)] if self._fresh else []
        for place in self._fresh:
            progress = self._trainings[place].progress
            progress.training, progress.validation = losses[place]

    def _advance(self, heartbeat: Callable[[], None], until: int | None) -> None:
        """Trains the lanes that are left, until one of them may end."""
        left = [(place, self._trainings[place]) for place in self._left]
        count = min(training.end(until) - training.progress.epoch for _, training in left)
        losses = self._block.advance(count, heartbeat)
        lists = losses.transpose(2, 1, 0).tolist()
        for place, training in left:
            training.points.pass_by(training.progress)
            before, after = lists[place]
            training.points.add(training.progress.epoch, before[:-1], after[:-1])
            self._block.update(place, training.progress, (before[-1], after[-1]))

    def _end(self, until: int | None) -> None:
        """Rests the lanes that have ended, or reached the pause, of which the state is kept."""
        for place in [*self._left]:
            training = self._trainings[place]
            progress = training.progress
            pauses = until is not None and progress.epoch >= until
            if not (progress.failed or training.finished or pauses):
                continue
            if not (progress.failed or training.finished):
                state = self._block.state(place, progress)
                training.paused = state.paused(training.params, training.points.curve())
            self._block.rest(place)
            self._left.remove(place)

    def _scores(
        self, places: Sequence[int], heartbeat: Callable[[], None]
    ) -> dict[int, tuple[dict[str, float], Weights]]:
        """The metrics and weights of lanes, all measured together once the last one ends."""
        if not places:
            return {}
        found = self._block.scored(places, heartbeat)
        names, rows = tuple(found), [*zip(*found.values())]
        weights = self._block.best(places)
        return {i: (dict(zip(names, rows[i])), best) for i, best in zip(places, weights)}

    def _outcome(
        self, place: int, found: tuple[dict[str, float], Weights] | None, duration_s: float
    ) -> Outcome:
        training, share = self._trainings[place], Share(duration_s, self._worker)
        if found is None:
            return failure(training, share)
        return outcome_of(self._spec, training, *found, share)
