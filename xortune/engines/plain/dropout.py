"""Dropout as a pure function of the trial's seed, the step, the layer and the unit's place.

With all numbers modulo 2**32 and `mix` below, a unit of hidden layer l, from 0, of a model with
`width` units a layer, in row r of the batch of step s, both from 0 and s counted over all epochs,
gets

    key = mix(mix(mix(seed) + s) + l)
    hash = mix(key XOR mix(r * width + unit))

and is dropped if hash < round(p * 2**32); the others are multiplied by float32(1 / (1 - p)), as in
`nn.Dropout`. No generator is involved, so neither pauses nor neighbours change anything.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_MASK = 2**32 - 1


class Dropout:
    """The factors of a trial's hidden units, step by step.

    Args:
        seed: the trial's.
        rate: `p`, the probability that a unit is dropped, below 1.
        depth: hidden layers.
        width: units of each.
        rows: the most rows of a batch.
    """

    def __init__(self, seed: int, rate: float, depth: int, width: int, rows: int) -> None:
        self._seed = _mixed(seed)
        self._depth = depth
        self._width = width
        self._places = mix(np.arange(rows * width, dtype=np.uint32))
        self._least = np.uint32(min(round(rate * 2**32), _MASK))
        self._scale = np.float32(1 / (1 - rate))

    def factors(self, step: int, rows: int) -> Tensor:
        """Zero, or what the others are multiplied by: `(depth, rows, width)`."""
        of_step = _mixed(self._seed + step)
        keys = [[_mixed(of_step + layer)] for layer in range(self._depth)]
        hashes = mix(np.array(keys, np.uint32) ^ self._places[: rows * self._width])
        kept = (hashes >= self._least) * self._scale
        return torch.from_numpy(kept.reshape(self._depth, rows, self._width))


def mix(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Scrambles 32-bit numbers in place: `lowbias32` of github.com/skeeto/hash-prospector."""
    values ^= values >> np.uint32(16)
    values *= np.uint32(0x7FEB352D)
    values ^= values >> np.uint32(15)
    values *= np.uint32(0x846CA68B)
    values ^= values >> np.uint32(16)
    return values


def _mixed(value: int) -> int:
    """`mix` of one number, which may be larger, in Python's integers: faster than an array."""
    value &= _MASK
    value = (value ^ value >> 16) * 0x7FEB352D & _MASK
    value = (value ^ value >> 15) * 0x846CA68B & _MASK
    return value ^ value >> 16
