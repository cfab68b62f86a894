"""The two data sets as tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xortune.problems.xor.tables import TABLES, Table


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


def load_data(name: str, device: str = "cpu") -> Dataset:
    """The four rows of `xor` or `lab`, in the lab's order, on a device."""

    def rows(table: Table) -> Rows:
        x = torch.tensor(table.inputs, device=device)
        y = torch.tensor(table.targets, device=device).unsqueeze(1)
        return Rows(x, y)

    training, validation = TABLES[name]
    return Dataset(training=rows(training), validation=rows(validation))
