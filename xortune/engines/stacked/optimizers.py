"""The optimizers of many lanes at once: every hyperparameter is a column, one number a lane.

The arithmetic is that of `torch.optim`, in single operations that round alike wherever a lane lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xortune.engines.plain.optimizers import MOMENTUM

# PyTorch's defaults.
_BETAS = 0.9, 0.999
_ALPHA = 0.99
_EPS = 1e-8
# By optimizer, what is remembered in `first` and `second`, by PyTorch's names.
MEMORY: Mapping[str, tuple[str, ...]] = {
    "sgd": (),
    "momentum": ("momentum_buffer",),
    "nesterov": ("momentum_buffer",),
    "rmsprop": ("square_avg",),
    "adam": ("exp_avg", "exp_avg_sq"),
    "adamw": ("exp_avg", "exp_avg_sq"),
}
# Lanes that are updated together: as many as fit into a cache.
_NUMBERS = 2**17


@dataclass(frozen=True)
class Numbers:
    """Numbers of lanes, each `(L, P)`.

    Attributes:
        weights: what is trained.
        gradient: of each lane's loss; its content is used up.
        first: what optimizers remember.
        second: likewise.
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
        self._decays = np.array([params["weight_decay"] for params in lanes], np.float64)
        self._steps = steps

    def step(self, numbers: Numbers, taken: int) -> None:
        """Updates the weights after the `taken`-th step of the epoch, from 0."""
        size = max(1, _NUMBERS // max(1, numbers.weights.shape[1]))
        for run in self._runs:
            for start in range(run.lanes.start, run.lanes.stop, size):
                lanes = slice(start, min(start + size, run.lanes.stop))
                self._update(run, lanes, numbers.part(lanes), taken)

    def _update(self, run: Run, lanes: slice, n: Numbers, taken: int) -> None:
        rates, decays = self._rates[lanes], self._decays[lanes]
        if run.optimizer == "adamw":
            if run.decays:
                n.weights.mul_(_column(1 - rates * decays))
        elif run.decays:
            n.gradient.add_(torch.mul(n.weights, _column(decays), out=n.free))
        if run.optimizer in ("adam", "adamw"):
            self._adam(rates, self._steps[lanes], n, taken)
            return
        if run.optimizer in ("momentum", "nesterov"):
            n.first.mul_(MOMENTUM).add_(n.gradient)
        change = n.free
        if run.optimizer == "nesterov":
            change = torch.mul(n.first, MOMENTUM, out=n.free).add_(n.gradient)
        elif run.optimizer == "momentum":
            change = torch.mul(n.first, 1.0, out=n.free)
        elif run.optimizer == "sgd":
            change = n.gradient
        else:
            _average(n.first, torch.mul(n.gradient, n.gradient, out=n.free), _ALPHA)
            torch.sqrt(n.first, out=n.free).add_(_EPS)
            change = torch.div(n.gradient, n.free, out=n.free)
        n.weights.sub_(change.mul_(_column(rates)))

    def _adam(
        self, rates: NDArray[np.float64], steps: Sequence[int], n: Numbers, taken: int
    ) -> None:
        n.first.mul_(_BETAS[0]).add_(torch.mul(n.gradient, 1 - _BETAS[0], out=n.free))
        _average(n.second, torch.mul(n.gradient, n.gradient, out=n.free), _BETAS[1])
        first, second = _corrections([step + taken + 1 for step in steps])
        torch.sqrt(n.second, out=n.free).div_(_column(np.sqrt(second))).add_(_EPS)
        change = torch.div(n.first, n.free, out=n.free)
        n.weights.sub_(change.mul_(_column(rates / first)))


def _average(mean: Tensor, new: Tensor, keep: float) -> None:
    """An exponential mean; `new` is used up."""
    mean.mul_(keep).add_(new.mul_(1 - keep))


def _corrections(steps: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What Adam divides its means by after so many steps, for each lane."""
    # In Python's numbers, since NumPy's powers may differ by where a lane lies.
    by_step = {step: (1 - _BETAS[0] ** step, 1 - _BETAS[1] ** step) for step in {*steps}}
    both = np.array([by_step[step] for step in steps])
    return both[:, 0], both[:, 1]


def _column(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).unsqueeze(1)
