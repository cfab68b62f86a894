"""The two data sets: true XOR, and the labels that the lab trains on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xortune.trial import DataName

_INPUTS = ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0))
_TARGETS: dict[DataName, tuple[float, ...]] = {
    "xor": (0.0, 1.0, 0.0, 1.0),
    # The lab's labels, in the lab's order of inputs. Row by row they equal the second
    # input: not XOR, but a separable problem that training always solves.
    "lab": (0.0, 1.0, 1.0, 0.0),
}


@dataclass(frozen=True)
class Rows:
    """Inputs `x`, of shape `(B, 2)`, and targets `y`, of shape `(B, 1)`; float32."""

    x: Tensor
    y: Tensor

    def equals(self, other: Rows) -> bool:
        """Whether the others are the same rows, in the same order."""
        return torch.equal(self.x, other.x) and torch.equal(self.y, other.y)


@dataclass(frozen=True)
class Dataset:
    """Training and validation rows; in both data sets one is a copy of the other."""

    training: Rows
    validation: Rows


def load_data(name: DataName, device: str = "cpu") -> Dataset:
    """The four rows of `xor` or `lab`, in the lab's order, on a device."""

    def rows() -> Rows:
        x = torch.tensor(_INPUTS, device=device)
        y = torch.tensor(_TARGETS[name], device=device).unsqueeze(1)
        return Rows(x, y)

    return Dataset(training=rows(), validation=rows())
