"""The order in which a trial sees its rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xortune.problems.table.rows import Rows

Batch = tuple[Tensor, Tensor]  # inputs and targets, `(B, ...)` each

# The most numbers, and batches, that are gathered at once.
_MOST_NUMBERS = 2**20
_MOST_BATCHES = 64


class Order:
    """The batches of each epoch, in an order that depends on the seed alone.

    The order of the rows is `torch.randperm(n, generator=generator)`, drawn once an epoch from
    `torch.Generator().manual_seed(seed)`. The last batch may be short.

    Batches are gathered some at a time into memory that is used again. Its alignment, by which
    kernels may round, is the same in every process.
    """

    def __init__(self, rows: Rows, batch_size: int, seed: int) -> None:
        self._rows = rows
        self._count = len(rows.x)
        self.size = min(batch_size, self._count)
        self.steps = -(-self._count // self.size)
        self._generator = torch.Generator(device="cpu").manual_seed(seed)
        numbers = self.size * max(1, math.prod(rows.x.shape[1:]))
        batches = max(1, min(_MOST_BATCHES, self.steps, _MOST_NUMBERS // numbers))
        self._held = min(batches * self.size, self._count)
        self._x, self._y = (_memory(self._held, array) for array in rows)
        self._full = self._cut(self._held)

    def skip(self, epochs: int) -> None:
        """Leaves out the order of some epochs, for a trial that continues after them."""
        for _ in range(epochs):
            self._drawn()

    def epoch(self) -> Iterator[Sequence[Batch]]:
        """The batches of the next epoch, some at a time; each is valid until the next."""
        order = self._drawn().numpy()
        x, y = self._x.numpy(), self._y.numpy()
        for start in range(0, self._count, self._held):
            places = order[start : start + self._held]
            # Unless told to clip, NumPy checks every place first, and copies once more.
            np.take(self._rows.x, places, axis=0, out=x[: len(places)], mode="clip")
            np.take(self._rows.y, places, axis=0, out=y[: len(places)], mode="clip")
            yield self._full if len(places) == self._held else self._cut(len(places))

    def _drawn(self) -> Tensor:
        return torch.randperm(self._count, generator=self._generator, device="cpu")

    def _cut(self, rows: int) -> Sequence[Batch]:
        parts = (torch.split(held[:rows], self.size) for held in (self._x, self._y))
        return [*zip(*parts)]


def _memory(rows: int, like: NDArray[Any]) -> Tensor:
    """Memory for so many rows of an array."""
    kind = torch.from_numpy(np.empty(0, like.dtype)).dtype
    return torch.empty((rows, *like.shape[1:]), dtype=kind, device="cpu")
