"""How much the training of a module computes, for estimates of its time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple


class LoopCosts(NamedTuple):
    """Seconds on one core of a loop over batches of one trial."""

    call: float  # an operation of any size
    flop: float  # a floating-point operation


class StackCosts(NamedTuple):
    """Seconds on one core of a stack of lanes."""

    call: float  # an operation, whatever the lanes
    lane_call: float  # an operation, for each lane
    flop: float  # a floating-point operation, for each lane


# Fitted to perceptrons, GRUs, normalization and convolutions of several sizes, all of which are
# estimated to within about a factor of two. The second of each is for convolutions over images.
_LOOP = LoopCosts(6.5e-6, 5e-11), LoopCosts(2e-5, 2.2e-10)
_STACK = StackCosts(1.8e-5, 4.5e-7, 6e-11), StackCosts(8e-5, 5e-6, 1.5e-10)


@dataclass(frozen=True)
class ModuleSize:
    """What a step and an epoch consist of.

    Attributes:
        row_flops: floating-point operations of a row, forward and backward, where they are most.
        calls: operations of PyTorch in a step.
        rows: that a trial learns from.
        validation_rows: that it is measured on after every epoch.
        weights: that are trained.
        convolves: whether it has convolutions over images, which take longer.
        typical: the share of those operations that a trial has on average.
    """

    row_flops: float
    calls: int
    rows: int
    validation_rows: int
    weights: int
    convolves: bool = False
    typical: float = 1.0

    def epoch(self, batch: int) -> tuple[int, float]:
        """The steps of a typical epoch, and its floating-point operations with the measurements."""
        return math.ceil(self.rows / batch), self.typical * self._flops

    @property
    def longest(self) -> tuple[int, float]:
        """Likewise, of the longest epoch: of batches of one row, where operations are most."""
        return self.rows, self._flops

    @property
    def _flops(self) -> float:
        measured = self.validation_rows / 3  # forward alone
        return self.row_flops * (self.rows + measured)

    @property
    def loop_costs(self) -> LoopCosts:
        return _LOOP[self.convolves]

    @property
    def stack_costs(self) -> StackCosts:
        return _STACK[self.convolves]
