"""The protocol between the pack loop and an engine: blocks of lanes to train and measure."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xortune.problems.xor.spec import SPEC
from xortune.trial import Params

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Stretch:
    """Trials to train from a common epoch on, longest first.

    Attributes:
        params: one entry a lane, `L` of them.
        ends: each lane's last epoch, descending.
        start: the epoch that all lanes have reached.
        weights: of the lanes at that epoch, `(L, 9)`, in the order of `XOR(2, 1).state_dict()`;
            None for initial weights.
    """

    params: Sequence[Params]
    ends: Sequence[int]
    start: int = 0
    weights: Floats | None = None

    def of(self, lanes: Sequence[int]) -> Stretch:
        """The stretch of some of the lanes, given in ascending order."""
        weights = None if self.weights is None else self.weights[lanes]
        params = [self.params[i] for i in lanes]
        return Stretch(params, [self.ends[i] for i in lanes], self.start, weights)


class Block(Protocol):
    """Lanes trained together, each as if it were alone.

    Attributes:
        sets: `S`, 1 where the validation rows are a copy of the training rows, else 2.
    """

    sets: int

    def advance(self, epoch: int) -> None:
        """Takes every lane to an epoch, or to its own last one."""

    def own_losses(self, lanes: int) -> Floats:
        """The first lanes' own losses, on the training and the validation rows: `(S, lanes)`."""

    def scores(self) -> Floats:
        """The spec's metrics, in their order: `(4, L)`."""

    def trained(self) -> Floats:
        """The weights, in the order of `XOR(2, 1).state_dict()`: `(L, 9)`."""


class Kernels(Protocol):
    """The code that trains blocks on one device.

    Attributes:
        largest: the most lanes of a block.
    """

    largest: int

    def undisturbed(self) -> AbstractContextManager[object]:
        """A context in which blocks are made, trained and measured."""

    def block(self, stretch: Stretch) -> Block:
        """Fresh lanes, one for each trial of the stretch."""


def columns(params: Sequence[Params]) -> dict[str, tuple[Any, ...]]:
    """The values of each parameter by its name: faster than asking every trial."""
    return dict(zip(SPEC.names, zip(*[p.row for p in params])))
