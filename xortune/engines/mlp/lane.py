"""One training: its settings, and how far it has come."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.engines.mlp.shapes import Shape
from xortune.errors import XortuneError
from xortune.trial import Curve, Paused, RawArray

Floats = NDArray[np.float32]

# What the optimizers remember between two steps.
_REMEMBERED: Mapping[str, tuple[str, ...]] = {
    "sgd": (),
    "momentum": ("first",),
    "nesterov": ("first",),
    "rmsprop": ("second",),
    "adam": ("first", "second"),
    "adamw": ("first", "second"),
}
_LOSSES = "losses"
_BEST_EPOCH = "best_epoch"


@dataclass
class Progress:
    """How far a training has come: see `Progress` of the plain engine.

    Attributes:
        epoch: the epochs trained.
        training: the mean of the latest epoch's batch losses; before the first epoch the loss on
            all training rows.
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
        return not math.isfinite(self.training + self.validation)

    def finished(self, epochs: int, patience: int) -> bool:
        waited = self.epoch - self.best_epoch
        return self.epoch >= epochs or 0 < patience <= waited


@dataclass
class State:
    """The numbers of a training, `(P,)` each: weights, and what its optimizer remembers."""

    weights: Floats
    best: Floats
    first: Floats
    second: Floats
    progress: Progress = field(default_factory=Progress)

    def paused(self, params: Mapping[str, Any], curve: Curve) -> Paused:
        """The state as plain arrays; the curve ends before the epoch."""
        progress = self.progress
        names = ("weights", "best", *_REMEMBERED[params["optimizer"]])
        arrays = {name: _raw(getattr(self, name), "<f4") for name in names}
        losses = np.array([progress.training, progress.validation, progress.best])
        arrays[_LOSSES] = _raw(losses, "<f8")
        arrays[_BEST_EPOCH] = _raw(np.array([progress.best_epoch]), "<i8")
        return Paused(progress.epoch, arrays, curve)

    @classmethod
    def resumed(cls, paused: Paused, params: Mapping[str, Any], shape: Shape) -> State:
        """Raises XortuneError if the state is not that of such a training."""
        numbers = shape.numbers
        names = ("weights", "best", *_REMEMBERED[params["optimizer"]])
        arrays = {name: _array(paused, name, numbers, "<f4") for name in names}
        losses = _array(paused, _LOSSES, 3, "<f8").tolist()
        best_epoch = int(_array(paused, _BEST_EPOCH, 1, "<i8")[0])
        if not 0 <= best_epoch <= paused.epoch <= params["epochs"]:
            raise _misfit(f"epoch {paused.epoch} with the best epoch {best_epoch}")
        zeros = np.zeros(numbers, np.float32)
        first, second = (arrays.get(name, zeros) for name in ("first", "second"))
        progress = Progress(paused.epoch, losses[0], losses[1], best_epoch, losses[2])
        return cls(arrays["weights"], arrays["best"], first, second, progress)


def _raw(array: NDArray[Any], dtype: str) -> RawArray:
    return RawArray(dtype, array.shape, np.ascontiguousarray(array, dtype).tobytes())


def _array(paused: Paused, name: str, count: int, dtype: str) -> NDArray[Any]:
    raw = paused.arrays.get(name)
    if raw is None:
        raise _misfit(f"no array {name}")
    size = np.dtype(dtype).itemsize * count
    if raw.dtype != dtype or tuple(raw.shape) != (count,) or len(raw.content) != size:
        raise _misfit(
            f"{name} has the type {raw.dtype}, the shape {tuple(raw.shape)} and "
            f"{len(raw.content)} bytes instead of {dtype}, ({count},) and {size}"
        )
    return np.frombuffer(raw.content, dtype)


def _misfit(what: str) -> XortuneError:
    return XortuneError(
        f"a trial cannot continue from its stored state: {what}. Train it from the start."
    )
