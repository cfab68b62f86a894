"""How far a training has come, for tables and modules; and this as paused arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.errors import XortuneError
from xortune.trial import Paused, RawArray

# The losses of the latest epoch and the best one: training, validation, best.
_LOSSES = "losses"
_BEST_EPOCH = "best_epoch"


@dataclass
class Progress:
    """How far a training has come.

    Attributes:
        epoch: the epochs trained.
        training: the mean of the latest epoch's batch losses, in the trial's own loss; before
            the first epoch its own loss on all training rows.
        validation: the final loss on the validation rows after that epoch.
        best_epoch: the first epoch with the lowest validation; 0 before the first.
        best: that validation.
    """

    epoch: int = 0
    training: float = math.nan
    validation: float = math.nan
    best_epoch: int = 0
    best: float = math.inf

    @property
    def failed(self) -> bool:
        """Whether a loss of the latest epoch is not finite."""
        return not math.isfinite(self.training + self.validation)

    def finished(self, epochs: int, patience: int) -> bool:
        """Whether it has trained all its epochs, or too many without a better one."""
        waited = self.epoch - self.best_epoch
        return self.epoch >= epochs or 0 < patience <= waited

    def add(self, losses: list[float], validation: float) -> bool:
        """Adds an epoch, of the losses of its batches; whether it is the best so far."""
        self.epoch += 1
        # Exact, and so the same for every version of Python.
        finite = all(map(math.isfinite, losses))
        self.training = math.fsum(losses) / len(losses) if finite else math.nan
        self.validation = validation
        if self.failed or validation >= self.best:
            return False
        self.best, self.best_epoch = validation, self.epoch
        return True

    def arrays(self) -> dict[str, RawArray]:
        """All but the epoch, for `Paused.arrays`."""
        losses = np.array([self.training, self.validation, self.best])
        best_epoch = np.array([self.best_epoch])
        return {_LOSSES: raw_array(losses, "<f8"), _BEST_EPOCH: raw_array(best_epoch, "<i8")}


def paused_progress(paused: Paused, epochs: int) -> Progress:
    """The progress of a paused training of so many epochs.

    Raises:
        XortuneError: the state is not that of such a training.
    """
    training, validation, best = paused_array(paused, _LOSSES, (3,), "<f8").tolist()
    best_epoch = int(paused_array(paused, _BEST_EPOCH, (1,), "<i8")[0])
    if not 0 <= best_epoch <= paused.epoch <= epochs:
        raise _misfit(f"epoch {paused.epoch} with the best epoch {best_epoch}")
    return Progress(paused.epoch, training, validation, best_epoch, best)


def raw_array(array: NDArray[Any], dtype: str) -> RawArray:
    """An array as bytes of a type."""
    return RawArray(dtype, array.shape, np.ascontiguousarray(array, dtype).tobytes())


def paused_array(paused: Paused, name: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """An array of a paused training, read-only.

    Raises:
        XortuneError: there is none of this shape and type.
    """
    raw = paused.arrays.get(name)
    if raw is None:
        raise _misfit(f"no array {name}")
    size = np.dtype(dtype).itemsize * math.prod(shape)
    if raw.dtype != dtype or tuple(raw.shape) != shape or len(raw.content) != size:
        raise _misfit(
            f"{name} has the type {raw.dtype}, the shape {tuple(raw.shape)} and "
            f"{len(raw.content)} bytes instead of {dtype}, {shape} and {size}"
        )
    return np.frombuffer(raw.content, dtype).reshape(shape)


def _misfit(what: str) -> XortuneError:
    return XortuneError(
        f"a trial cannot continue from its stored state: {what}. Train it from the start."
    )
