"""How much the training of a module computes, for estimates of its time."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ModuleSize:
    """What a step and an epoch consist of.

    Attributes:
        row_flops: floating-point operations of a row, forward and backward.
        calls: operations of PyTorch in a step.
        rows: that a trial learns from.
        validation_rows: that it is measured on after every epoch.
        weights: that are trained.
    """

    row_flops: float
    calls: int
    rows: int
    validation_rows: int
    weights: int

    def epoch(self, batch: int) -> tuple[int, float]:
        """The steps of an epoch, and its floating-point operations with the measurements."""
        measured = self.validation_rows / 3  # forward alone
        return math.ceil(self.rows / batch), self.row_flops * (self.rows + measured)
