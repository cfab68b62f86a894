"""Trains a pack in blocks of lanes, each lane for its own number of epochs."""

from __future__ import annotations

import operator
import os
import socket
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from xortune.engines.collection import no_collection
from xortune.engines.xor.kernels import Block, Floats, Kernels, Stretch, columns
from xortune.problems.xor.spec import LAYOUT, SPEC
from xortune.trial import Curve, Lane, Outcome, Paused, RawArray, Weights

# The most epochs between two heartbeats.
_BEAT = 1000
# A float32 ends at 3.4e38.
_OVERFLOW = 1e37
_WEIGHTS = "weights"
_BYTES = 9 * 4


class PackTrainer:
    """See `xortune.engines.engine.Trainer`.

    On the CPU a trial's outcome has the same bits in any pack, at any position in it, and
    wherever its training pauses, except for `duration_s`.
    """

    def __init__(self, kernels: Kernels) -> None:
        self._kernels = kernels

    def train(
        self,
        lanes: Sequence[Lane],
        log_every: int | None,
        heartbeat: Callable[[], None] = lambda: None,
        until: int | None = None,
    ) -> list[Outcome]:
        log_every = log_every or SPEC.log_every or 1
        outcomes: dict[int, Outcome] = {}
        with self._kernels.undisturbed(), no_collection():
            for places, stretch in _stretches(lanes, until, self._kernels.largest):
                block = _Lanes(stretch, self._kernels, log_every, heartbeat)
                curves = (
                    [p.curve for i in places if (p := lanes[i].paused)] if stretch.start else ()
                )
                outcomes.update(zip(places, block.train(curves)))
        return [outcomes[i] for i in range(len(lanes))]


def _stretches(
    lanes: Sequence[Lane], until: int | None, largest: int
) -> Iterator[tuple[list[int], Stretch]]:
    """The blocks of lanes that continue from one epoch, with their indices."""
    params = [lane.params for lane in lanes]
    starts = [0 if lane.paused is None else lane.paused.epoch for lane in lanes]
    ends = columns(params)["epochs"]
    if until is not None:
        ends = tuple(max(start, min(until, end)) for start, end in zip(starts, ends))
    by_start: dict[int, list[int]] = {}
    # Neighbours of similar length leave a block together, so that it can shrink.
    for i in sorted(range(len(params)), key=ends.__getitem__, reverse=True):
        by_start.setdefault(starts[i], []).append(i)
    for start, every in by_start.items():
        for first in range(0, len(every), largest):
            places = every[first : first + largest]
            weights = _weights([lanes[i].paused for i in places]) if start else None
            some = [params[i] for i in places], [ends[i] for i in places]
            yield places, Stretch(*some, start, weights)


def _weights(paused: Sequence[Paused | None]) -> Floats:
    """The weights of trials that continue, `(L, 9)`."""
    content = b"".join([p.arrays[_WEIGHTS].content for p in paused if p is not None])
    return np.frombuffer(content, "<f4").reshape(-1, 9)


class _Lanes:
    """The trials of one block, longest first."""

    def __init__(
        self, stretch: Stretch, kernels: Kernels, log_every: int, heartbeat: Callable[[], None]
    ) -> None:
        self._stretch = stretch
        self._kernels = kernels
        self._params = columns(stretch.params)
        first = -(-stretch.start // log_every) * log_every
        self._logged = range(first, stretch.ends[0], log_every)
        self._heartbeat = heartbeat

    def train(self, earlier: Sequence[Curve]) -> Iterator[Outcome]:
        """Trains the lanes; yields their outcomes in order.

        Args:
            earlier: each lane's curve so far; empty at the start.
        """
        started = time.perf_counter()
        ends = self._stretch.ends
        block = self._kernels.block(self._stretch)
        points = np.zeros((block.sets, len(ends), len(self._logged) + 1), np.float32)
        epoch = self._stretch.start
        for place, logged in enumerate(self._logged):
            self._advance(block, epoch, logged)
            epoch = logged
            active = bisect_left(ends, -epoch, key=operator.neg)
            points[:, :active, place] = block.own_losses(active)
        self._advance(block, epoch, ends[0])
        yield from self._outcomes(block, points, earlier, started)

    def _advance(self, block: Block, start: int, stop: int) -> None:
        """Trains the epochs in between, with heartbeats."""
        for epoch in range(start + _BEAT, stop, _BEAT):
            self._heartbeat()
            block.advance(epoch)
        self._heartbeat()
        block.advance(stop)

    def _outcomes(
        self, block: Block, points: Floats, earlier: Sequence[Curve], started: float
    ) -> Iterator[Outcome]:
        """The outcomes of a trained block.

        Their curves are `earlier`, the first of `points`, `(S, L, points)`, and a last point,
        measured now.
        """
        start, ends = self._stretch.start, self._stretch.ends
        scores = block.scores()
        before = {end: bisect_left(self._logged, end) for end in {*ends}}
        points[:, range(len(ends)), [before[end] for end in ends]] = block.own_losses(len(ends))
        failed_at = self._failures(scores)
        elapsed = time.perf_counter() - started
        share = elapsed / max(sum(ends) - start * len(ends), 1)
        worker = f"{socket.gethostname()}:{os.getpid()}"
        # Shared by curves that end together, which makes outcomes smaller.
        logged = tuple(self._logged)
        marks = {end: (*logged[:count], end) for end, count in before.items()}
        sets = points.tolist()
        weights = np.ascontiguousarray(block.trained(), "<f4").tobytes()
        every = zip(ends, self._params["epochs"], scores.T.tolist())
        for i, (end, epochs, measured) in enumerate(every):
            losses = [tuple(one[i][: len(marks[end])]) for one in sets]
            curve = Curve(marks[end], {"training": losses[0], "validation": losses[-1]})
            if earlier:
                curve = _joined(earlier[i], curve)
            duration = share * (end - start)
            if i in failed_at:
                error = f"loss is not finite at epoch {failed_at[i]}"
                yield Outcome("FAIL", None, curve, None, duration, worker, error)
                continue
            nine = weights[i * _BYTES : (i + 1) * _BYTES]
            trained = SPEC.scores(measured), curve, Weights(LAYOUT, nine), duration, worker
            if end == epochs:
                yield Outcome("COMPLETE", *trained)
            else:
                yield Outcome("RUNNING", *trained, paused=_paused(end, nine, curve))

    def _failures(self, scores: Floats) -> dict[int, int]:
        """The lanes whose training loss is not finite at some epoch, and the first such epoch.

        Only lanes in doubt are trained again and measured after every epoch. NaN lasts to the
        end, so it shows there; infinity may not, but an epoch moves the logits by a few lr at
        most, so only an absurd lr reaches it.
        """
        start, ends = self._stretch.start, self._stretch.ends
        lrs, epochs = self._params["lr"], self._params["epochs"]
        bad = set(np.flatnonzero(~np.isfinite(scores).all(axis=0)).tolist())
        far = {i for i, lr in enumerate(lrs) if lr * epochs[i] > _OVERFLOW}
        lanes = sorted(bad | far)
        if not lanes:
            return {}
        again = self._kernels.block(self._stretch.of(lanes))
        seen: dict[int, int] = {}
        for epoch in range(start, ends[lanes[0]] + 1):
            self._heartbeat()
            again.advance(epoch)
            own = again.own_losses(len(lanes))[0]
            for place in np.flatnonzero(~np.isfinite(own)).tolist():
                if epoch <= ends[lanes[place]]:
                    seen.setdefault(lanes[place], epoch)
            if len(seen) == len(lanes):
                break
        # A score can be infinite where the loss is not; the last epoch is reported then.
        return {i: ends[i] for i in bad} | seen


def _joined(earlier: Curve, later: Curve) -> Curve:
    series = {name: earlier.series[name] + points for name, points in later.series.items()}
    return Curve(earlier.epochs + later.epochs, series)


def _paused(epoch: int, nine: bytes, curve: Curve) -> Paused:
    """A trial's state; its curve ends before the epoch, which may not be a point of it."""
    series = {name: points[:-1] for name, points in curve.series.items()}
    so_far = Curve(curve.epochs[:-1], series)
    return Paused(epoch, {_WEIGHTS: RawArray("<f4", (9,), nine)}, so_far)
