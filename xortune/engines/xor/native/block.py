"""Blocks of the compiled engine: C draws, trains and measures, over NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from xortune.engines.xor.gradient import INITIAL_BOUND, OFFSETS, SLOPES, STATE_DICT_ROWS
from xortune.engines.xor.kernels import Floats, Stretch, columns
from xortune.engines.xor.native.library import WIDTH, CFunctions
from xortune.problems.xor.spec import LOSS_FNS
from xortune.problems.xor.tables import TABLES

_ROWS = list(STATE_DICT_ROWS)


class CompiledKernels:
    """See `xortune.engines.xor.kernels.Kernels`."""

    def __init__(self, data: str, functions: CFunctions, largest: int) -> None:
        training, validation = TABLES[data]
        self.largest = largest
        self._functions = functions
        tables = (training,) if validation == training else (training, validation)
        self._targets = [np.array(table.targets, np.float32) for table in tables]

    def undisturbed(self) -> AbstractContextManager[object]:
        return nullcontext()

    def block(self, stretch: Stretch) -> CompiledBlock:
        return CompiledBlock(stretch, self._targets, self._functions)


class CompiledBlock:
    """See `xortune.engines.xor.kernels.Block`.

    Args:
        stretch: the trials.
        targets: of the training and, where they differ, the validation rows, `(4,)` each.
        functions: those of step.c.
    """

    def __init__(self, stretch: Stretch, targets: Sequence[Floats], functions: CFunctions) -> None:
        def column(values: Sequence[float], kind: type[np.generic]) -> NDArray[np.generic]:
            padded = np.zeros(width, kind)
            with np.errstate(over="ignore"):  # a rate beyond float32 is infinite
                padded[: len(values)] = values
            return padded

        self._lanes = len(stretch.params)
        width = _padded(self._lanes)
        params = columns(stretch.params)
        loss = column([LOSS_FNS.index(name) for name in params["loss_fn"]], np.int32)
        self._functions = functions
        self._epoch = stretch.start
        self._loss = loss
        self._targets = targets
        self.sets = len(targets)
        # (9, L) with L a multiple of WIDTH; the rows are the entries of STATE_DICT_ROWS.
        self.weights: Floats = np.zeros((9, width), np.float32)
        if stretch.weights is None:
            seeds, bound = column(params["seed"], np.uint32), INITIAL_BOUND
            functions.draw(_address(seeds), -bound, bound, _address(self.weights), width)
        else:
            self.weights[:, : self._lanes] = stretch.weights.T
        self.weights = self.weights[_ROWS]
        # Keeps the arrays alive: the C code holds only their addresses.
        self._arrays = (
            self.weights,
            column(params["lr"], np.float32),
            np.array(SLOPES, np.float32)[loss],
            np.array(OFFSETS, np.float32)[loss],
            column(stretch.ends, np.int32),
            targets[0],
        )
        self._addresses = tuple(map(_address, self._arrays))

    def advance(self, epoch: int) -> None:
        self._functions.train(self._addresses, self.weights.shape[1], self._epoch, epoch)
        self._epoch = epoch

    def own_losses(self, lanes: int) -> Floats:
        return np.stack([self._measured(targets, lanes)[0, :lanes] for targets in self._targets])

    def scores(self) -> Floats:
        scores = self._measured(self._targets[-1], self._lanes)
        if self.sets > 1:
            scores[0] = self._measured(self._targets[0], self._lanes)[0]
        return scores[:, : self._lanes]

    def trained(self) -> Floats:
        flat = np.empty_like(self.weights)
        flat[_ROWS] = self.weights
        return flat.T[: self._lanes]

    def _measured(self, targets: Floats, lanes: int) -> Floats:
        """Own loss, mean squared error, cross-entropy and accuracy, `(4, L)`."""
        measured = np.empty((4, self.weights.shape[1]), np.float32)
        addresses = tuple(map(_address, (self.weights, self._loss, targets, measured)))
        self._functions.measure(addresses, self.weights.shape[1], _padded(lanes))
        return measured


def _padded(lanes: int) -> int:
    return -(-lanes // WIDTH) * WIDTH


def _address(array: NDArray[np.generic]) -> int:
    return int(array.ctypes.data)
