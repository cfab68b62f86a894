"""Training a pack: blocks of lanes, each lane for its own number of epochs."""

from __future__ import annotations

import heapq
import math
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby

import torch
from torch import Tensor

from xortune.engine.lanes import in_state_dict_order, make_lanes, padded
from xortune.engine.measure import Measured, measure
from xortune.engine.step import Descent
from xortune.errors import UsageError
from xortune.lab import Dataset, load_data
from xortune.trial import Curve, DataName, Outcome, Params, Scores

# On a CPU the buffers of a block stay in its cache; a GPU wants all the lanes it can get.
_BLOCK = {"cpu": 4096, "cuda": 131_072}
# Epochs between two heartbeats at the most.
_BEAT = 1000
# A float32 ends at 3.4e38.
_OVERFLOW = 1e37


def train_pack(
    params: Sequence[Params],
    data: DataName = "xor",
    log_every: int = 500,
    device: str = "cpu",
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
        heartbeat: called now and then; what it raises ends the training.

    Returns:
        One outcome a trial, in the order of `params`; FAIL for those whose loss did not
        stay finite.
    """
    started = time.perf_counter()
    dataset = load_data(data, device)
    # Neighbours of like length leave a block together, so that it can shrink.
    order = sorted(range(len(params)), key=lambda i: (-params[i].epochs, i))
    outcomes: dict[int, Outcome] = {}
    size = _BLOCK[torch.device(device).type]
    with torch.inference_mode(), _one_thread():
        for start in range(0, len(order), size):
            block = order[start : start + size]
            trained = _Block([params[i] for i in block], dataset, log_every, device, heartbeat)
            outcomes.update(zip(block, trained.outcomes()))
    elapsed = time.perf_counter() - started
    total = sum(p.epochs for p in params)
    worker = f"{socket.gethostname()}:{os.getpid()}"
    return [
        replace(outcomes[i], duration_s=elapsed * p.epochs / total, worker=worker)
        for i, p in enumerate(params)
    ]


def usable_device(wanted: str) -> str:
    """`cpu` or `cuda` for `auto`, `cpu` or `cuda`, as this process can have it.

    Raises:
        UsageError: CUDA is wanted, and there is none.
    """
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise UsageError("--device cuda: PyTorch finds no GPU here. Use --device cpu.")
    return "cuda" if wanted != "cpu" and available else "cpu"


class _Block:
    """Lanes sorted by falling number of epochs, so that those still training come first.

    A lane that has reached its epochs is copied out. What its place computes afterwards, as
    padding, is never looked at.
    """

    def __init__(
        self,
        params: Sequence[Params],
        dataset: Dataset,
        log_every: int,
        device: str,
        heartbeat: Callable[[], None],
    ) -> None:
        self._params = params
        self._dataset = dataset
        self._device = device
        self._heartbeat = heartbeat
        self._lanes = make_lanes(params, device)
        self._final = torch.zeros_like(self._lanes.weights)
        self._points: list[tuple[int, Tensor]] = []
        self._train(log_every)

    def _train(self, log_every: int) -> None:
        """Alternates training with events: points of the curves, and lanes that finish."""
        weights = self._lanes.weights
        descent = Descent(self._lanes, self._dataset.training)
        remaining = len(self._params)
        epoch = 0
        for event, finishing in _events(self._params, log_every):
            while epoch < event:
                self._heartbeat()
                epochs = min(event - epoch, _BEAT)
                descent.run(epochs, padded(remaining))
                epoch += epochs
            done = slice(remaining - finishing, remaining)
            self._final[:, done] = weights[:, done]
            remaining -= finishing
            if epoch % log_every == 0 and remaining:
                self._points.append((epoch, self._own_losses(padded(remaining))))

    def _own_losses(self, active: int) -> Tensor:
        """Training and validation loss of the first lanes: `(2, active)`."""
        weights = self._lanes.weights[:, :active].contiguous()
        loss, data = self._lanes.loss[:active], self._dataset
        return torch.stack(
            [measure(weights, loss, rows).own for rows in (data.training, data.validation)]
        ).cpu()

    def outcomes(self) -> Iterator[Outcome]:
        """One outcome a lane, in the block's order."""
        on_training = measure(self._final, self._lanes.loss, self._dataset.training)
        on_validation = measure(self._final, self._lanes.loss, self._dataset.validation)
        scores = _scores(on_training, on_validation)
        last = torch.stack([on_training.own, on_validation.own]).T.tolist()
        weights = in_state_dict_order(self._final).T.tolist()
        columns = [(epoch, *losses.tolist()) for epoch, losses in self._points]
        failed_at = self._failures(scores)
        for i, p in enumerate(self._params):
            points = [(epoch, t[i], v[i]) for epoch, t, v in columns if epoch < p.epochs]
            epochs, training, validation = zip(*points, (p.epochs, *last[i]))
            curve = Curve(epochs, training, validation)
            if i in failed_at:
                error = f"loss is not finite at epoch {failed_at[i]}"
                yield Outcome("FAIL", curve=curve, error=error)
            else:
                yield Outcome("COMPLETE", scores[i], curve, tuple(weights[i]))

    def _failures(self, scores: Sequence[Scores]) -> dict[int, int]:
        """The lanes whose training loss is not finite at some epoch, and the first such epoch.

        Trains those in doubt once more, looking at every epoch: cheaper than to look at every
        epoch of every lane. NaN stays to the end, so it shows there; infinity need not, but
        an epoch moves the logits by a few lr at most, so only an absurd lr reaches it.
        """
        bad = {i for i, p in enumerate(self._params) if not _finite(scores[i])}
        far = {i for i, p in enumerate(self._params) if p.lr * p.epochs > _OVERFLOW}
        lanes = sorted(bad | far)
        if not lanes:
            return {}
        again = make_lanes([self._params[i] for i in lanes], self._device)
        descent = Descent(again, self._dataset.training)
        seen: dict[int, int] = {}
        for epoch in range(self._params[lanes[0]].epochs + 1):
            self._heartbeat()
            own = measure(again.weights, again.loss, self._dataset.training).own
            for place in (~own[: len(lanes)].isfinite()).nonzero().flatten().tolist():
                if epoch <= self._params[lanes[place]].epochs:
                    seen.setdefault(lanes[place], epoch)
            if len(seen) == len(lanes):
                break
            descent.run(1, again.lr.shape[0])
        # A score can be infinite where the loss is not: then the last epoch stands.
        return {i: self._params[i].epochs for i in bad} | seen


def _events(params: Sequence[Params], log_every: int) -> Iterator[tuple[int, int]]:
    """Yields (epoch, lanes that finish at it), epochs ascending, with every log epoch."""
    finishing = {epochs: len(list(lanes)) for epochs, lanes in groupby(params, lambda p: p.epochs)}
    logged = range(0, params[0].epochs, log_every)
    for epoch, _ in groupby(heapq.merge(logged, sorted(finishing))):
        yield epoch, finishing.get(epoch, 0)


def _scores(on_training: Measured, on_validation: Measured) -> list[Scores]:
    columns = (on_training.own, on_validation.mse, on_validation.bce, on_validation.accuracy)
    return [Scores(*row) for row in torch.stack(columns).T.tolist()]


def _finite(scores: Scores) -> bool:
    return math.isfinite(scores.train_loss + scores.mse + scores.bce)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Kernels this small lose by threads, and a thread's share of a row may be unaligned."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
