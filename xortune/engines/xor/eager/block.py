"""Blocks of the eager engine: stacked tensors, trained and measured by PyTorch's kernels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from xortune.engines.xor.eager.descent import Descent
from xortune.engines.xor.eager.lanes import in_state_dict_order, make_lanes, padded
from xortune.engines.xor.kernels import Floats, Stretch
from xortune.problems.xor.data import Dataset, Rows, load_data
from xortune.problems.xor.spec import LOSS_FNS

_MSE, _BCE = LOSS_FNS.index("mse"), LOSS_FNS.index("bce")


class EagerKernels:
    """See `xortune.engines.xor.kernels.Kernels`."""

    def __init__(self, data: str, device: str, largest: int) -> None:
        self.largest = largest
        self._dataset = load_data(data, device)
        self._device = device

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """One thread: kernels this small are slower with more, and shares might be unaligned."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.inference_mode():
                yield
        finally:
            torch.set_num_threads(threads)

    def block(self, stretch: Stretch) -> EagerBlock:
        return EagerBlock(stretch, self._dataset, self._device)


class EagerBlock:
    """See `xortune.engines.xor.kernels.Block`.

    Attributes:
        weights: `(9, L)`, as in `Lanes.weights`.
    """

    def __init__(self, stretch: Stretch, dataset: Dataset, device: str) -> None:
        lanes = make_lanes(stretch, device)
        self._lanes = len(stretch.params)
        self._loss = lanes.loss
        self.weights = lanes.weights
        self._descent = Descent(lanes, stretch.start, stretch.ends, dataset.training)
        self._rows: tuple[Rows, ...] = (dataset.training,)
        if not dataset.training.equals(dataset.validation):
            self._rows += (dataset.validation,)
        self.sets = len(self._rows)

    def advance(self, epoch: int) -> None:
        self.weights = self._descent.advance(epoch)

    def own_losses(self, lanes: int) -> Floats:
        some = slice(0, padded(lanes))
        weights = self.weights[:, some].contiguous()
        measured = [measure(weights, self._loss[some], rows)[0] for rows in self._rows]
        return _array(torch.stack(measured)[:, :lanes])

    def scores(self) -> Floats:
        scores = measure(self.weights, self._loss, self._rows[-1])
        if self.sets > 1:
            scores[0] = measure(self.weights, self._loss, self._rows[0])[0]
        return _array(scores[:, : self._lanes])

    def trained(self) -> Floats:
        return _array(in_state_dict_order(self.weights).T[: self._lanes])


def _array(tensor: Tensor) -> Floats:
    array: Floats = tensor.cpu().numpy()
    return array


def measure(weights: Tensor, loss: Tensor, rows: Rows) -> Tensor:
    """The metrics of the spec, measured on some rows.

    Args:
        weights: `(9, L)`, as in `Lanes.weights`, with `L` a multiple of `ALIGN`.
        loss: `(L,)`, indices into `LOSS_FNS`.
        rows: inputs `(B, 2)` and targets `(B, 1)`.

    Returns:
        `(4, L)`: each lane's own loss, its mean squared error, its binary cross-entropy in
        nats, from the logits, and the share of the rows on the right side of 0.5.
    """
    logits = _logits(weights, rows.x)
    output, y = torch.sigmoid(logits), rows.y
    mse = _mean((output - y).square())
    # max(z, 0) - z y + log(1 + exp(-|z|)) = -y log s(z) - (1 - y) log(1 - s(z)), but never
    # the logarithm of 0.
    bce = _mean(logits.clamp_min(0) - logits * y + torch.log1p(torch.exp(-logits.abs())))
    # nn.BCELoss sees the sigmoid's output and clamps its logarithms to -100.
    hit, miss = output.log().clamp_min(-100), torch.log1p(-output).clamp_min(-100)
    bce_of_output = _mean((y - 1) * miss - y * hit)
    own = torch.where(loss == _MSE, mse, torch.where(loss == _BCE, bce_of_output, bce))
    accuracy = _mean(((output - 0.5) * (y - 0.5) > 0).float())
    return torch.stack((own, mse, bce, accuracy))


def _logits(weights: Tensor, x: Tensor) -> Tensor:
    v0, v1, c, d, u = weights[0:2], weights[2:4], weights[4:6], weights[6], weights[7:9]
    x0, x1 = x[:, 0, None, None], x[:, 1, None, None]
    hidden = torch.sigmoid(torch.addcmul(torch.addcmul(c, x0, v0), x1, v1))
    return torch.addcmul(torch.addcmul(d, hidden[:, 0], u[0]), hidden[:, 1], u[1])


def _mean(values: Tensor) -> Tensor:
    """The mean over the rows, `(B, L)` to `(L,)`, added in a fixed order."""
    total = values[0]
    for row in values[1:]:
        total = total + row
    return total / len(values)
