"""The numbers of lanes that train together: weights, buffers and what optimizers remember."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xortune.engines.stacked.optimizers import Numbers

# The numbers of float32 in a line of a cache: every array of every lane begins at one, since
# kernels may round by that.
_LINE = 16
# Those of the vectors that kernels take at once, which a lane fills.
_VECTORS = 64


class Plan:
    """Where each array lies among the weights of a lane.

    Args:
        shapes: of the arrays, by name.

    Attributes:
        size: the numbers of a lane, of which a few between the arrays are always zero.
        count: those that are trained.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._shapes = shapes
        self._starts: dict[str, int] = {}
        self.size = 0
        for name, shape in shapes.items():
            self._starts[name] = self.size
            self.size += _filled(math.prod(shape), _LINE)
        self.size = _filled(self.size, _VECTORS)
        self.count = sum(map(math.prod, shapes.values()))

    def arrays(self, numbers: Tensor) -> dict[str, Tensor]:
        """Views of `(L, P)` by name, `(L, ...)` each."""
        lanes = numbers.shape[0]  # of which `len` would make a number where it is recorded
        return {
            name: numbers[:, start : start + math.prod(shape)].view(lanes, *shape)
            for (name, shape), start in zip(self._shapes.items(), self._starts.values())
        }

    def together(self, arrays: Mapping[str, Tensor | None], like: Tensor) -> Tensor:
        """Copies arrays of all lanes into one of `(L, P)`, with the lanes of `like`; None is 0."""
        lanes, parts, end = like.shape[0], [], 0
        for (name, shape), start in zip(self._shapes.items(), self._starts.values()):
            count, array = math.prod(shape), arrays[name]
            parts.append(like.new_zeros(lanes, start - end))
            parts.append(
                like.new_zeros(lanes, count) if array is None else array.reshape(lanes, count)
            )
            end = start + count
        parts.append(like.new_zeros(lanes, self.size - end))
        return torch.cat([part for part in parts if part.shape[1]], dim=1)

    def joined(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """The numbers of a lane, `(P,)`, from its arrays."""
        numbers = torch.zeros(1, self.size)
        for name, view in self.arrays(numbers).items():
            view[0].copy_(arrays[name].detach())
        return numbers[0]

    def dense(self, numbers: Tensor) -> NDArray[np.float32]:
        """The trained numbers of a lane alone, one array after the other."""
        parts = [view[0].flatten() for view in self.arrays(numbers.unsqueeze(0)).values()]
        return torch.cat(parts).numpy()

    def spread(self, dense: NDArray[np.float32]) -> Tensor:
        """The reverse of `dense`."""
        numbers, at = torch.zeros(1, self.size), 0
        for view in self.arrays(numbers).values():
            part = dense[at : at + view.numel()].copy()
            view[0].copy_(torch.from_numpy(part).view(view.shape[1:]))
            at += view.numel()
        return numbers[0]


@dataclass
class LaneNumbers:
    """The numbers of one lane.

    Attributes:
        weights: `(P,)`, as `Plan` places them.
        best: those after the best epoch; the initial ones before the first.
        first: what its optimizer remembers.
        second: likewise.
        buffers: what else its module holds, by name.
        best_buffers: those after the best epoch.
    """

    weights: Tensor
    best: Tensor
    first: Tensor
    second: Tensor
    buffers: dict[str, Tensor]
    best_buffers: dict[str, Tensor]


class Stack:
    """The numbers of some lanes, one below the other; the last of them may only fill it.

    Args:
        plan: of the weights.
        lanes: the numbers of each, at least one.
        padded: the lanes of the stack; the others have the numbers of the first.
    """

    def __init__(self, plan: Plan, lanes: Sequence[LaneNumbers], padded: int) -> None:
        self._plan = plan
        every = [*lanes, *[lanes[0]] * (padded - len(lanes))]
        self.lanes = len(lanes)
        self.padded = padded
        self.weights = _stacked(lane.weights for lane in every)
        self.best = _stacked(lane.best for lane in every)
        self.first = _stacked(lane.first for lane in every)
        self.second = _stacked(lane.second for lane in every)
        self.buffers = _by_name([lane.buffers for lane in every])
        self.best_buffers = _by_name([lane.best_buffers for lane in every])
        self._gradient = torch.zeros_like(self.weights)
        self._free = torch.empty_like(self.weights)
        self.arrays = plan.arrays(self.weights)  # which change with the weights
        self._gradients = plan.arrays(self._gradient)

    def lane(self, place: int) -> LaneNumbers:
        """A copy of a lane's numbers."""
        return LaneNumbers(
            weights=self.weights[place].clone(),
            best=self.best[place].clone(),
            first=self.first[place].clone(),
            second=self.second[place].clone(),
            buffers={name: b[place].clone() for name, b in self.buffers.items()},
            best_buffers={name: b[place].clone() for name, b in self.best_buffers.items()},
        )

    def learn(self, gradients: Mapping[str, Tensor | None]) -> Numbers:
        """The numbers with the gradient of each lane's loss, for its optimizer."""
        for name, view in self._gradients.items():
            gradient = gradients[name]
            if gradient is None:
                view.zero_()
            else:
                view.copy_(gradient)
        lanes = slice(self.lanes)
        numbers = Numbers(self.weights, self._gradient, self.first, self.second, self._free)
        return numbers.part(lanes)

    def keep_best(self, lanes: Sequence[int]) -> None:
        """Keeps the numbers of some lanes as their best."""
        places = torch.tensor(lanes, dtype=torch.int64)
        self.best[places] = self.weights[places]
        for name, buffer in self.buffers.items():
            self.best_buffers[name][places] = buffer[places]


def _stacked(rows: Any) -> Tensor:
    return torch.stack([*rows])


def _by_name(lanes: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([lane[name] for lane in lanes]) for name in lanes[0]}


def _filled(numbers: int, unit: int) -> int:
    """So many numbers, and as many more as make a multiple of a unit."""
    return -(-numbers // unit) * unit
