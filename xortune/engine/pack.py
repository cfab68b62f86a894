"""Training a pack: blocks of lanes, each lane for its own number of epochs."""

from __future__ import annotations

import gc
import operator
import os
import socket
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from xortune.engine.lanes import in_state_dict_order, make_lanes, padded
from xortune.engine.measure import Measured, measure
from xortune.engine.step import Descent, make_descent
from xortune.errors import UsageError
from xortune.lab import Dataset, load_data
from xortune.native import Step
from xortune.trial import Curve, DataName, Outcome, Params, Scores
from xortune.wording import option

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
    dataset = load_data(data, device)
    # Neighbours of like length leave a block together, so that it can shrink.
    order = sorted(range(len(params)), key=[p.epochs for p in params].__getitem__, reverse=True)
    outcomes: dict[int, Outcome] = {}
    size = _BLOCK[torch.device(device).type]
    with torch.inference_mode(), _undisturbed():
        for start in range(0, len(order), size):
            places = order[start : start + size]
            lanes = [params[i] for i in places]
            block = _Block(lanes, dataset, log_every, device, step, heartbeat)
            outcomes.update(zip(places, block.train()))
    return [outcomes[i] for i in range(len(params))]


def has_gpu() -> bool:
    """Whether PyTorch finds a GPU for this process."""
    return torch.cuda.is_available()


def usable_device(wanted: str) -> str:
    """`cpu`, `cuda` or `both` for one of these or `auto`, as this process can have it.

    Raises:
        UsageError: CUDA is wanted, and there is none.
    """
    available = has_gpu()
    if wanted in ("cuda", "both") and not available:
        raise UsageError(
            f"{option('device')} {wanted}: PyTorch finds no GPU here. "
            f"Use {option('device', 'cpu')}."
        )
    if wanted == "auto":
        return "cuda" if available else "cpu"
    return wanted


class _Block:
    """Lanes sorted by falling number of epochs, so that those still training come first."""

    def __init__(
        self,
        params: Sequence[Params],
        dataset: Dataset,
        log_every: int,
        device: str,
        step: Step | None,
        heartbeat: Callable[[], None],
    ) -> None:
        self._params = params
        self._epochs = [p.epochs for p in params]
        self._dataset = dataset
        self._one_set = dataset.training.equals(dataset.validation)
        self._logged = range(0, self._epochs[0], log_every)
        self._device = device
        self._step = step
        self._heartbeat = heartbeat

    def train(self) -> Iterator[Outcome]:
        """Trains the lanes; yields one outcome a lane, in the block's order."""
        started = time.perf_counter()
        lanes = make_lanes(self._params, self._device, self._step)
        descent = make_descent(lanes, self._epochs, self._dataset.training, self._step)
        points = torch.zeros(len(self._params), 2, len(self._logged) + 1)
        epoch = 0
        for place, logged in enumerate(self._logged):
            weights = self._advance(descent, epoch, logged)
            epoch = logged
            active = bisect_left(self._epochs, -epoch, key=operator.neg)
            points[:active, :, place] = self._own_losses(weights, lanes.loss, active)
        weights = self._advance(descent, epoch, self._epochs[0])
        yield from self._outcomes(weights, lanes.loss, points, started)

    def _advance(self, descent: Descent, start: int, stop: int) -> Tensor:
        """The weights `(9, L)` after the epochs in between, with heartbeats on the way."""
        for epoch in range(start + _BEAT, stop, _BEAT):
            self._heartbeat()
            descent.advance(epoch)
        self._heartbeat()
        return descent.advance(stop)

    def _own_losses(self, weights: Tensor, loss: Tensor, lanes: int) -> Tensor:
        """Training and validation loss of the first lanes: `(lanes, 2)`."""
        some = slice(0, padded(lanes))
        both = self._measured(weights[:, some].contiguous(), loss[some])
        return torch.stack([measured.own for measured in both], dim=1)[:lanes].cpu()

    def _measured(self, weights: Tensor, loss: Tensor) -> tuple[Measured, Measured]:
        """On the training data, and on the validation data, which may be a copy of it."""
        on_training = measure(weights, loss, self._dataset.training)
        if self._one_set:
            return on_training, on_training
        return on_training, measure(weights, loss, self._dataset.validation)

    def _outcomes(
        self, weights: Tensor, loss: Tensor, points: Tensor, started: float
    ) -> Iterator[Outcome]:
        """Outcomes of trained weights `(9, L)`.

        Their curves are the first of `points`, `(L, 2, points)`, and then what is measured now.
        """
        lanes = len(self._params)
        on_training, on_validation = self._measured(weights, loss)
        scores = _scores(on_training, on_validation)[:lanes]
        seen = [bisect_left(self._logged, epochs) for epochs in self._epochs]
        last = torch.stack([on_training.own, on_validation.own], dim=1)[:lanes].cpu()
        points[range(lanes), :, seen] = last
        nines = in_state_dict_order(weights).T.tolist()
        failed_at = self._failures(scores)
        share = (time.perf_counter() - started) / sum(self._epochs)
        worker = f"{socket.gethostname()}:{os.getpid()}"
        logged = tuple(self._logged)
        every = zip(self._epochs, seen, points.tolist(), scores.tolist(), nines)
        for i, (epochs, before, (training, validation), measured, nine) in enumerate(every):
            curve = Curve(
                (*logged[:before], epochs),
                tuple(training[: before + 1]),
                tuple(validation[: before + 1]),
            )
            if i in failed_at:
                error = f"loss is not finite at epoch {failed_at[i]}"
                yield Outcome("FAIL", None, curve, None, share * epochs, worker, error)
            else:
                good = Scores(*measured)
                yield Outcome("COMPLETE", good, curve, tuple(nine), share * epochs, worker)

    def _failures(self, scores: Tensor) -> dict[int, int]:
        """The lanes whose training loss is not finite at some epoch, and the first such epoch.

        Trains those in doubt once more, looking at every epoch: cheaper than to look at every
        epoch of every lane. NaN stays to the end, so it shows there; infinity need not, but
        an epoch moves the logits by a few lr at most, so only an absurd lr reaches it.
        """
        bad = set((~scores.isfinite()).any(dim=1).nonzero().flatten().tolist())
        far = {i for i, p in enumerate(self._params) if p.lr * p.epochs > _OVERFLOW}
        lanes = sorted(bad | far)
        if not lanes:
            return {}
        again = make_lanes([self._params[i] for i in lanes], self._device, self._step)
        epochs = [self._epochs[i] for i in lanes]
        descent = make_descent(again, epochs, self._dataset.training, self._step)
        seen: dict[int, int] = {}
        for epoch in range(epochs[0] + 1):
            self._heartbeat()
            own = measure(descent.advance(epoch), again.loss, self._dataset.training).own
            for place in (~own[: len(lanes)].isfinite()).nonzero().flatten().tolist():
                if epoch <= epochs[place]:
                    seen.setdefault(lanes[place], epoch)
            if len(seen) == len(lanes):
                break
        # A score can be infinite where the loss is not: then the last epoch stands.
        return {i: self._epochs[i] for i in bad} | seen


def _scores(on_training: Measured, on_validation: Measured) -> Tensor:
    """The fields of `Scores`, `(L, 4)`."""
    columns = (on_training.own, on_validation.mse, on_validation.bce, on_validation.accuracy)
    return torch.stack(columns, dim=1)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """One thread, and no garbage collection.

    Kernels this small lose by threads, and a thread's share of a row may be unaligned. None of
    the thousands of objects made here is garbage; but they make Python look through all of
    PyTorch's, which takes as long as the training.
    """
    threads, collecting = torch.get_num_threads(), gc.isenabled()
    torch.set_num_threads(1)
    gc.disable()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if collecting:
            gc.enable()
