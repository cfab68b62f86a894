"""The compiled engine: drawing, training and measuring are step.c's, over NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from xortune.engines.xor.gradient import INITIAL_BOUND, OFFSET, SLOPE, STATE_DICT_ROWS
from xortune.engines.xor.native import WIDTH, Step
from xortune.problems.xor.tables import TABLES
from xortune.trial import LOSS_FNS, DataName, Params

Floats = NDArray[np.float32]

_SLOPES, _OFFSETS = ([values[name] for name in LOSS_FNS] for values in (SLOPE, OFFSET))
_ROWS = list(STATE_DICT_ROWS)


class CompiledEngine:
    """See `xortune.engines.xor.pack.Engine`.

    Args:
        data: the data set.
        step: the compiled step.
    """

    largest = 4096

    def __init__(self, data: DataName, step: Step) -> None:
        training, validation = TABLES[data]
        self._step = step
        self._targets = np.array(training.targets, np.float32)
        self._validation = None
        if validation != training:
            self._validation = np.array(validation.targets, np.float32)

    def undisturbed(self) -> AbstractContextManager[object]:
        return nullcontext()

    def block(self, params: Sequence[Params]) -> CompiledBlock:
        return CompiledBlock(params, self._targets, self._validation, self._step)


class CompiledBlock:
    """See `xortune.engines.xor.pack.Block`.

    Args:
        params: one entry a lane, those with the most epochs first.
        training: the targets of the training rows, `(4,)`.
        validation: those of the validation rows; None where the rows are the same.
        step: the compiled step.

    Attributes:
        weights: `(9, L)`, with `L` a multiple of `WIDTH`; the rows are the entries of
            `STATE_DICT_ROWS`.
    """

    def __init__(
        self,
        params: Sequence[Params],
        training: Floats,
        validation: Floats | None,
        step: Step,
    ) -> None:
        def column(values: Sequence[float], kind: type[np.generic]) -> NDArray[np.generic]:
            padded = np.zeros(width, kind)
            with np.errstate(over="ignore"):  # a rate beyond float32 is infinite
                padded[: len(values)] = values
            return padded

        self._lanes = len(params)
        width = _padded(self._lanes)
        loss = column([LOSS_FNS.index(p.loss_fn) for p in params], np.int32)
        self._step = step
        self._epoch = 0
        self._loss = loss
        self._targets = (training,) if validation is None else (training, validation)
        self.sets = len(self._targets)
        seeds = column([p.seed for p in params], np.uint32)
        self.weights: Floats = np.empty((9, width), np.float32)
        step.draw(_address(seeds), -INITIAL_BOUND, INITIAL_BOUND, _address(self.weights), width)
        self.weights = self.weights[_ROWS]
        # Kept, since the step knows no more of them than their addresses.
        self._arrays = (
            self.weights,
            column([p.lr for p in params], np.float32),
            np.array(_SLOPES, np.float32)[loss],
            np.array(_OFFSETS, np.float32)[loss],
            column([p.epochs for p in params], np.int32),
            training,
        )
        self._addresses = tuple(map(_address, self._arrays))

    def advance(self, epoch: int) -> None:
        self._step.train(self._addresses, self.weights.shape[1], self._epoch, epoch)
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
        self._step.measure(addresses, self.weights.shape[1], _padded(lanes))
        return measured


def _padded(lanes: int) -> int:
    return -(-lanes // WIDTH) * WIDTH


def _address(array: NDArray[np.generic]) -> int:
    return int(array.ctypes.data)
