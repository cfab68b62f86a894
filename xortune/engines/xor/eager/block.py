"""The eager engine, as the pack loop sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from xortune.engines.xor.eager.descent import Descent
from xortune.engines.xor.eager.lanes import in_state_dict_order, make_lanes, padded
from xortune.engines.xor.eager.measure import Measured, measure
from xortune.engines.xor.kernels import Floats, Stretch
from xortune.problems.xor import Dataset, Rows, load_data


class EagerKernels:
    """See `xortune.engines.xor.kernels.Kernels`.

    Args:
        data: the data set.
        device: `cpu` or `cuda`.
        largest: the most lanes of a block.
    """

    def __init__(self, data: str, device: str, largest: int) -> None:
        self.largest = largest
        self._dataset = load_data(data, device)
        self._device = device

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """One thread: more slow down kernels this small, and a thread's share may be unaligned."""
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

    Args:
        stretch: what to train.
        dataset: what to train and measure on, on the device.
        device: `cpu` or `cuda`.

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
        measured = [measure(weights, self._loss[some], rows).own for rows in self._rows]
        return _array(torch.stack(measured)[:, :lanes])

    def scores(self) -> Floats:
        every = [measure(self.weights, self._loss, rows) for rows in self._rows]
        return _array(_scores(every[0], every[-1])[:, : self._lanes])

    def trained(self) -> Floats:
        return _array(in_state_dict_order(self.weights).T[: self._lanes])


def _scores(on_training: Measured, on_validation: Measured) -> Tensor:
    """The spec's metrics, in their order: `(4, L)`."""
    rows = (on_training.own, on_validation.mse, on_validation.bce, on_validation.accuracy)
    return torch.stack(rows)


def _array(tensor: Tensor) -> Floats:
    array: Floats = tensor.cpu().numpy()
    return array
