"""PyTorch's optimizers as tables use them, and the learning rate over the epochs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import nn, optim

MOMENTUM = 0.9

# What an optimizer remembers between two steps, by PyTorch's names; scalars and vectors.
STATE: Mapping[str, tuple[str, ...]] = {
    "sgd": (),
    "momentum": ("momentum_buffer",),
    "nesterov": ("momentum_buffer",),
    "rmsprop": ("step", "square_avg"),
    "adam": ("step", "exp_avg", "exp_avg_sq"),
    "adamw": ("step", "exp_avg", "exp_avg_sq"),
}
SCALARS = ("step",)

# Fused where PyTorch can: one pass over the weights instead of ten.
_MAKE: Mapping[str, Callable[..., optim.Optimizer]] = {
    "sgd": partial(optim.SGD, fused=True),
    "momentum": partial(optim.SGD, momentum=MOMENTUM, fused=True),
    "nesterov": partial(optim.SGD, momentum=MOMENTUM, nesterov=True, fused=True),
    "rmsprop": partial(optim.RMSprop, foreach=False),
    "adam": partial(optim.Adam, fused=True),
    "adamw": partial(optim.AdamW, fused=True),
}


def make_optimizer(weights: nn.Parameter, params: Mapping[str, Any]) -> optim.Optimizer:
    """The optimizer of a trial, for all its weights as one vector.

    Everything but the learning rate and the weight decay is PyTorch's default, with a momentum
    of 0.9 where there is one. The decay is added to the gradient, except by `adamw`.
    """
    make = _MAKE[params["optimizer"]]
    return make([weights], lr=params["lr"], weight_decay=params["weight_decay"])


def rate(params: Mapping[str, Any], epoch: int) -> float:
    """The learning rate of an epoch, in double precision.

    With epochs e = 0, 1, ... E - 1, where E is the trial's `epochs`, even if it ends early:

        constant   lr
        cosine     lr * (1 + cos(pi * e / E)) / 2
        step       lr, lr * 0.1 from e >= E / 2 on, lr * 0.01 from e >= 3 E / 4 on

    Args:
        params: the trial's.
        epoch: `e`, the epochs trained before.
    """
    lr, epochs = params["lr"], params["epochs"]
    if params["schedule"] == "cosine":
        return float(lr * (1 + math.cos(math.pi * epoch / epochs)) / 2)
    if params["schedule"] == "step":
        past = (2 * epoch >= epochs) + (4 * epoch >= 3 * epochs)
        return float(lr * (1.0, 0.1, 0.01)[past])
    return float(lr)
