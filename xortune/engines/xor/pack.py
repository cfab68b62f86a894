"""Training a pack: blocks of lanes, each lane for its own number of epochs, by any engine."""

from __future__ import annotations

import gc
import operator
import os
import socket
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from xortune.engines.xor.compiled import CompiledEngine
from xortune.engines.xor.native import Step
from xortune.trial import Curve, DataName, Outcome, Params, Scores

Floats = NDArray[np.float32]

# Epochs between two heartbeats at the most.
_BEAT = 1000
# A float32 ends at 3.4e38.
_OVERFLOW = 1e37


class Block(Protocol):
    """Lanes that train together, each as if it were alone, those with the most epochs first.

    Attributes:
        sets: `S`, 1 where the validation rows are a copy of the training rows, else 2.
    """

    sets: int

    def advance(self, epoch: int) -> None:
        """Takes every lane to an epoch, or to its own last one."""

    def own_losses(self, lanes: int) -> Floats:
        """The first lanes' own losses, on the training and the validation rows: `(S, lanes)`."""

    def scores(self) -> Floats:
        """The fields of `Scores`, `(4, L)`."""

    def trained(self) -> Floats:
        """The weights, in the order of `XOR(2, 1).state_dict()`, `(L, 9)`."""


class Engine(Protocol):
    """What trains blocks.

    Attributes:
        largest: the most lanes of a block.
    """

    largest: int

    def undisturbed(self) -> AbstractContextManager[object]:
        """What is to hold while blocks are made, trained and measured."""

    def block(self, params: Sequence[Params]) -> Block:
        """Fresh lanes, one for each of `params`, whose epochs fall."""


def train_pack(
    params: Sequence[Params],
    data: DataName = "xor",
    log_every: int = 500,
    device: str = "cpu",
    step: Step | None = None,
    heartbeat: Callable[[], None] = lambda: None,
) -> list[Outcome]:
    """Trains trials together, each as if it were alone.

    On the CPU a trial's outcome is the same to the last bit in any pack and at any place in
    it, but for `duration_s`.

    Args:
        params: one entry a trial, 1 to 100,000 of them.
        data: the data set.
        log_every: epochs between two points of a curve, which also has the last epoch.
        device: `cpu` or `cuda`.
        step: the compiled step, which is for the CPU; None trains with PyTorch's kernels.
        heartbeat: called now and then; what it raises ends the training.

    Returns:
        One outcome a trial, in the order of `params`; FAIL for those whose loss did not
        stay finite.
    """
    engine = _engine(data, device, step)
    # Neighbours of like length leave a block together, so that it can shrink.
    order = sorted(range(len(params)), key=[p.epochs for p in params].__getitem__, reverse=True)
    outcomes: dict[int, Outcome] = {}
    with engine.undisturbed(), _no_collection():
        for start in range(0, len(order), engine.largest):
            places = order[start : start + engine.largest]
            lanes = _Lanes([params[i] for i in places], engine, log_every, heartbeat)
            outcomes.update(zip(places, lanes.train()))
    return [outcomes[i] for i in range(len(params))]


def _engine(data: DataName, device: str, step: Step | None) -> Engine:
    if step is not None:
        return CompiledEngine(data, step)
    from xortune.engines.xor.eager import EagerEngine

    return EagerEngine(data, device)


class _Lanes:
    """The trials of one block, sorted by falling number of epochs."""

    def __init__(
        self,
        params: Sequence[Params],
        engine: Engine,
        log_every: int,
        heartbeat: Callable[[], None],
    ) -> None:
        self._params = params
        self._epochs = [p.epochs for p in params]
        self._engine = engine
        self._logged = range(0, self._epochs[0], log_every)
        self._heartbeat = heartbeat

    def train(self) -> Iterator[Outcome]:
        """Trains the lanes; yields one outcome a lane, in their order."""
        started = time.perf_counter()
        block = self._engine.block(self._params)
        points = np.zeros((block.sets, len(self._params), len(self._logged) + 1), np.float32)
        epoch = 0
        for place, logged in enumerate(self._logged):
            self._advance(block, epoch, logged)
            epoch = logged
            active = bisect_left(self._epochs, -epoch, key=operator.neg)
            points[:, :active, place] = block.own_losses(active)
        self._advance(block, epoch, self._epochs[0])
        yield from self._outcomes(block, points, started)

    def _advance(self, block: Block, start: int, stop: int) -> None:
        """Trains the epochs in between, with heartbeats on the way."""
        for epoch in range(start + _BEAT, stop, _BEAT):
            self._heartbeat()
            block.advance(epoch)
        self._heartbeat()
        block.advance(stop)

    def _outcomes(self, block: Block, points: Floats, started: float) -> Iterator[Outcome]:
        """Outcomes of a trained block.

        Their curves are the first of `points`, `(S, L, points)`, and then what is measured now.
        """
        lanes = len(self._params)
        scores = block.scores()
        seen = [bisect_left(self._logged, epochs) for epochs in self._epochs]
        points[:, range(lanes), seen] = block.own_losses(lanes)
        failed_at = self._failures(scores)
        share = (time.perf_counter() - started) / sum(self._epochs)
        worker = f"{socket.gethostname()}:{os.getpid()}"
        logged = tuple(self._logged)
        sets = points.tolist()
        every = zip(self._epochs, seen, scores.T.tolist(), block.trained().tolist())
        for i, (epochs, before, measured, nine) in enumerate(every):
            losses = [tuple(one[i][: before + 1]) for one in sets]
            curve = Curve((*logged[:before], epochs), losses[0], losses[-1])
            if i in failed_at:
                error = f"loss is not finite at epoch {failed_at[i]}"
                yield Outcome("FAIL", None, curve, None, share * epochs, worker, error)
            else:
                good = Scores(*measured)
                yield Outcome("COMPLETE", good, curve, tuple(nine), share * epochs, worker)

    def _failures(self, scores: Floats) -> dict[int, int]:
        """The lanes whose training loss is not finite at some epoch, and the first such epoch.

        Trains those in doubt once more, looking at every epoch: cheaper than to look at every
        epoch of every lane. NaN stays to the end, so it shows there; infinity need not, but
        an epoch moves the logits by a few lr at most, so only an absurd lr reaches it.
        """
        bad = set(np.flatnonzero(~np.isfinite(scores).all(axis=0)).tolist())
        far = {i for i, p in enumerate(self._params) if p.lr * p.epochs > _OVERFLOW}
        lanes = sorted(bad | far)
        if not lanes:
            return {}
        again = self._engine.block([self._params[i] for i in lanes])
        epochs = [self._epochs[i] for i in lanes]
        seen: dict[int, int] = {}
        for epoch in range(epochs[0] + 1):
            self._heartbeat()
            again.advance(epoch)
            own = again.own_losses(len(lanes))[0]
            for place in np.flatnonzero(~np.isfinite(own)).tolist():
                if epoch <= epochs[place]:
                    seen.setdefault(lanes[place], epoch)
            if len(seen) == len(lanes):
                break
        # A score can be infinite where the loss is not: then the last epoch stands.
        return {i: self._epochs[i] for i in bad} | seen


@contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage collection.

    None of the thousands of objects made here is garbage; but they make Python look through
    those of all libraries, which takes as long as the training.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
