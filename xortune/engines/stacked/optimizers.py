"""The optimizers of many lanes at once: every hyperparameter is a column, one number a lane.

The arithmetic is that of `torch.optim`. The numbers of a lane fill whole vectors, so that kernels
round alike wherever it lies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xortune.engines.plain.optimizers import MOMENTUM

# PyTorch's defaults.
BETAS = 0.9, 0.999
ALPHA = 0.99
EPS = 1e-8
_ADAPTIVE = ("adam", "adamw")
_MOMENTUM_MEMORY = {"first": "momentum_buffer"}
_ADAM_MEMORY = {"first": "exp_avg", "second": "exp_avg_sq"}
# By optimizer, what is remembered in `first` and `second`, by PyTorch's names.
MEMORY: Mapping[str, Mapping[str, str]] = {
    "sgd": {},
    "momentum": _MOMENTUM_MEMORY,
    "nesterov": _MOMENTUM_MEMORY,
    "rmsprop": {"second": "square_avg"},
    "adam": _ADAM_MEMORY,
    "adamw": _ADAM_MEMORY,
}


@dataclass(frozen=True)
class Numbers:
    """Numbers of lanes, each `(L, P)`.

    Attributes:
        weights: what is trained.
        gradient: of each lane's loss; its content is used up.
        first: what optimizers remember of gradients.
        second: likewise of their squares.
        free: memory for intermediate results.
    """

    weights: Tensor
    gradient: Tensor
    first: Tensor
    second: Tensor
    free: Tensor

    def part(self, lanes: slice) -> Numbers:
        return Numbers(*(getattr(self, name)[lanes] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Run:
    """Lanes beside each other that are updated by the same arithmetic.

    Attributes:
        optimizer: of all of them.
        decays: whether their weights decay.
        lanes: their places.
    """

    optimizer: str
    decays: bool
    lanes: slice


def kind_of(params: Mapping[str, Any]) -> tuple[str, bool]:
    """What lanes of one `Run` have alike."""
    return params["optimizer"], params["weight_decay"] > 0


def runs_of(lanes: Sequence[Mapping[str, Any]]) -> list[Run]:
    """The runs among lanes that are sorted by `kind_of`."""
    runs: list[Run] = []
    for place, params in enumerate(lanes):
        kind = kind_of(params)
        if runs and (runs[-1].optimizer, runs[-1].decays) == kind:
            runs[-1] = Run(*kind, slice(runs[-1].lanes.start, place + 1))
        else:
            runs.append(Run(*kind, slice(place, place + 1)))
    return runs


class Updates:
    """The steps of an epoch, in which learning rates stay the same.

    Args:
        lanes: the parameters of all lanes, sorted by `kind_of`.
        rates: the learning rate of each.
        steps: the steps that each has trained before.
    """

    def __init__(
        self, lanes: Sequence[Mapping[str, Any]], rates: Sequence[float], steps: Sequence[int]
    ) -> None:
        self._runs = runs_of(lanes)
        self._rates = np.array(rates, np.float64)
        decays = np.array([params["weight_decay"] for params in lanes], np.float64)
        self._columns = {
            "rate": _column(self._rates),
            "decay": _column(decays),
            "keep": _column(1 - self._rates * decays),
        }
        self._steps = np.array(steps)

    def step(self, numbers: Numbers, taken: int) -> None:
        """Updates the weights after the `taken`-th step of the epoch, from 0."""
        columns = self._columns
        if any(run.optimizer in _ADAPTIVE for run in self._runs):
            columns = columns | self._corrections(taken)
        for run in self._runs:
            some = {name: column[run.lanes] for name, column in columns.items()}
            _update(run, numbers.part(run.lanes), some)

    def _corrections(self, taken: int) -> dict[str, Tensor]:
        """Adam's step and its epsilon, for each lane.

        With the corrections c and d of its means m and v, a step of Adam is

            rate / c * m / (sqrt(v) / sqrt(d) + eps)
            = rate * sqrt(d) / c * m / (sqrt(v) + eps * sqrt(d))
        """
        first, root = corrections(self._steps, taken)
        return {"step": _column(self._rates * root / first), "eps": _column(EPS * root)}


def corrections(
    steps: NDArray[np.int64], taken: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Adam's c, and the root of its d, for lanes that have trained so many steps before."""
    # In Python's numbers, since NumPy's powers may differ by where a lane lies; and only once
    # for lanes that have begun together, as most have.
    first, root = np.empty(len(steps)), np.empty(len(steps))
    for before in np.unique(steps).tolist():
        step, lanes = before + taken + 1, steps == before
        first[lanes] = 1 - BETAS[0] ** step
        root[lanes] = math.sqrt(1 - BETAS[1] ** step)
    return first, root


def _update(run: Run, n: Numbers, columns: Mapping[str, Tensor]) -> None:
    """Updates the weights of some lanes of a run; a column has a number for each of them."""
    if run.optimizer == "adamw":
        if run.decays:
            n.weights.mul_(columns["keep"])
    elif run.decays:
        n.gradient.addcmul_(n.weights, columns["decay"])
    if run.optimizer in _ADAPTIVE:
        n.weights.addcmul_(_adam(n, columns["eps"]), columns["step"], value=-1)
    else:
        n.weights.addcmul_(_other(run.optimizer, n), columns["rate"], value=-1)


def _adam(n: Numbers, eps: Tensor) -> Tensor:
    """The change of the weights by Adam, apart from its step."""
    n.first.lerp_(n.gradient, 1 - BETAS[0])
    n.second.mul_(BETAS[1]).addcmul_(n.gradient, n.gradient, value=1 - BETAS[1])
    torch.sqrt(n.second, out=n.free).add_(eps)
    return torch.div(n.first, n.free, out=n.free)


def _other(optimizer: str, n: Numbers) -> Tensor:
    """The change of the weights by the other optimizers, apart from the learning rate."""
    if optimizer == "sgd":
        return n.gradient
    if optimizer == "rmsprop":
        n.second.mul_(ALPHA).addcmul_(n.gradient, n.gradient, value=1 - ALPHA)
        torch.sqrt(n.second, out=n.free).add_(EPS)
        return torch.div(n.gradient, n.free, out=n.free)
    n.first.mul_(MOMENTUM).add_(n.gradient)
    if optimizer == "momentum":
        return n.first
    return torch.add(n.gradient, n.first, alpha=MOMENTUM, out=n.free)


def _column(values: NDArray[np.float64]) -> Tensor:
    with np.errstate(over="ignore"):  # The largest rates are infinite in float32.
        return torch.from_numpy(values.astype(np.float32)).unsqueeze(1)
