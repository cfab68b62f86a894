"""What a lane takes from one block to the next, and keeps while it is paused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.engines.mlp.shapes import Shape
from xortune.engines.progress import Progress, paused_array, paused_progress, raw_array
from xortune.trial import Curve, Paused

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


@dataclass
class State:
    """The numbers of a training, `(P,)` each: weights, and what its optimizer remembers."""

    weights: Floats
    best: Floats
    first: Floats
    second: Floats
    progress: Progress = field(default_factory=Progress)

    @classmethod
    def initial(cls, weights: Floats) -> State:
        """That of a lane which begins with these weights."""
        return cls(weights, weights, *np.zeros((2, len(weights)), np.float32))

    def paused(self, params: Mapping[str, Any], curve: Curve) -> Paused:
        """The state as plain arrays; the curve ends before the epoch."""
        names = ("weights", "best", *_REMEMBERED[params["optimizer"]])
        arrays = {name: raw_array(getattr(self, name), "<f4") for name in names}
        return Paused(self.progress.epoch, {**arrays, **self.progress.arrays()}, curve)

    @classmethod
    def resumed(cls, paused: Paused, params: Mapping[str, Any], shape: Shape) -> State:
        """Raises XortuneError if the state is not that of such a training."""
        numbers = (shape.numbers,)
        names = ("weights", "best", *_REMEMBERED[params["optimizer"]])
        arrays = {name: paused_array(paused, name, numbers, "<f4") for name in names}
        zeros = np.zeros(numbers, np.float32)
        first, second = (arrays.get(name, zeros) for name in ("first", "second"))
        progress = paused_progress(paused, params["epochs"])
        return cls(arrays["weights"], arrays["best"], first, second, progress)
