"""All optimizers as one formula, whose coefficients are a row of numbers for each lane.

With the weights w, the gradient g, the memory m of gradients and v of their squares, a step is

    g <- g + decay * w
    m <- keep_m * m + add_m * g
    v <- keep_v * v + add_v * g^2
    w <- keep_w * w - step * (of_g * g + of_m * m) / (sqrt(v) + eps where adaptive, else 1)

which a compiler makes a single pass over the numbers of all lanes, of whatever optimizers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xortune.engines.plain.optimizers import MOMENTUM
from xortune.engines.stacked.optimizers import ALPHA, BETAS, EPS, corrections

_NAMES = (
    "decay", "keep_w", "keep_m", "add_m", "keep_v", "add_v", "of_g", "of_m", "adaptive",
    "step", "eps",
)  # fmt: skip
_AT = {name: place for place, name in enumerate(_NAMES)}
_ADAM = {
    "keep_m": BETAS[0], "add_m": 1 - BETAS[0], "keep_v": BETAS[1], "add_v": 1 - BETAS[1],
    "of_m": 1.0, "adaptive": 1.0,
}  # fmt: skip
# By optimizer, the coefficients that are not zero, apart from those of rates and decays.
_FIXED: Mapping[str, Mapping[str, float]] = {
    "sgd": {"of_g": 1.0},
    "momentum": {"keep_m": MOMENTUM, "add_m": 1.0, "of_m": 1.0},
    "nesterov": {"keep_m": MOMENTUM, "add_m": 1.0, "of_g": 1.0, "of_m": MOMENTUM},
    "rmsprop": {"keep_v": ALPHA, "add_v": 1 - ALPHA, "of_g": 1.0, "adaptive": 1.0},
    "adam": _ADAM,
    "adamw": _ADAM,
}


class Coefficients:
    """Those of an epoch, in which learning rates stay the same.

    Args:
        lanes: the parameters of all lanes.
        rates: the learning rate of each.
        steps: the steps that each has trained before.
    """

    def __init__(
        self, lanes: Sequence[Mapping[str, Any]], rates: Sequence[float], steps: Sequence[int]
    ) -> None:
        self._rates = np.array(rates, np.float64)
        self._steps = np.array(steps)
        self._rows = np.zeros((len(lanes), len(_NAMES)))
        self._adam = np.zeros(len(lanes), bool)
        for place, params in enumerate(lanes):
            optimizer, decay = params["optimizer"], params["weight_decay"]
            apart = optimizer == "adamw"  # its weights decay apart from the gradient
            own = {"decay": 0.0 if apart else decay, "step": rates[place], "eps": EPS}
            own["keep_w"] = 1 - rates[place] * decay if apart else 1.0
            for name, value in {**own, **_FIXED[optimizer]}.items():
                self._rows[place, _AT[name]] = value
            self._adam[place] = optimizer in ("adam", "adamw")

    def of_step(self, taken: int) -> Tensor:
        """`(L, coefficients)` for the `taken`-th step of the epoch, from 0."""
        if self._adam.any():
            first, root = corrections(self._steps, taken)
            rows = self._adam
            self._rows[rows, _AT["step"]] = (self._rates * root / first)[rows]
            self._rows[rows, _AT["eps"]] = (EPS * root)[rows]
        with np.errstate(over="ignore"):  # The largest rates are infinite in float32.
            return torch.from_numpy(self._rows.astype(np.float32))


def update(
    weights: Tensor, gradient: Tensor, first: Tensor, second: Tensor, coefficients: Tensor
) -> None:
    """Takes a step of every lane, in place.

    Args:
        weights, gradient, first, second: `(L, P)`; see `Numbers`.
        coefficients: `(L, coefficients)`.
    """
    c = {name: coefficients[:, place : place + 1] for name, place in _AT.items()}
    gradient = gradient + c["decay"] * weights
    m = c["keep_m"] * first + c["add_m"] * gradient
    v = c["keep_v"] * second + c["add_v"] * gradient * gradient
    divisor = torch.where(c["adaptive"] > 0, v.sqrt() + c["eps"], 1.0)
    change = (c["of_g"] * gradient + c["of_m"] * m) / divisor
    weights.copy_(c["keep_w"] * weights - c["step"] * change)
    first.copy_(m)
    second.copy_(v)
