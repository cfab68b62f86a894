"""Dropout as a pure function of the trial's seed, the step, the layer and the unit's place.

With all numbers modulo 2**32 and `mix` below, a unit of hidden layer l, from 0, of a model with
`width` units a layer, in row r of the batch of step s, both from 0 and s counted over all epochs,
gets (in a module, l counts the calls of dropout, and `width` is the numbers of a row there)

    key = mix(mix(mix(seed) + s) + l)
    hash = mix(key XOR mix(r * width + unit))

and is dropped if hash < round(p * 2**32); the others are multiplied by float32(1 / (1 - p)), as in
`nn.Dropout`. No generator is involved, so neither pauses nor neighbours change anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

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
        self._seed = mixed(seed)
        self._depth = depth
        self._width = width
        self._places = mix(np.arange(rows * width, dtype=np.uint32))
        self._least = np.uint32(min(round(rate * 2**32), _MASK))
        self._scale = np.float32(1 / (1 - rate))

    def factors(self, step: int, rows: int) -> Tensor:
        """Zero, or what the others are multiplied by: `(depth, rows, width)`."""
        of_step = mixed(self._seed + step)
        keys = [[mixed(of_step + layer)] for layer in range(self._depth)]
        hashes = mix(np.array(keys, np.uint32) ^ self._places[: rows * self._width])
        kept = (hashes >= self._least) * self._scale
        return torch.from_numpy(kept.reshape(self._depth, rows, self._width))


class Kept(NamedTuple):
    """What rates of dropout mean, one row a lane: see `kept_at`."""

    least: NDArray[np.uint32]  # the lowest hash that is kept, `(L, 1)`
    scale: NDArray[np.float32]  # what those are multiplied by, `(L, 1)`


def kept_at(rates: Sequence[float]) -> Kept:
    """What is kept at some rates; nothing at 1."""
    least = [min(round(rate * 2**32), _MASK) for rate in rates]
    scale = [1 / (1 - rate) if rate < 1 else 0.0 for rate in rates]
    return Kept(_column(least, np.uint32), _column(scale, np.float32))


def seeds_of(seeds: Sequence[int]) -> NDArray[np.uint32]:
    """`mix(seed)` of some lanes, for `keys_of`."""
    return mix(np.array([seed & _MASK for seed in seeds], np.uint32))


def keys_of(seeds: NDArray[np.uint32], steps: NDArray[np.uint32], layer: int) -> NDArray[np.uint32]:
    """The key of each lane, given `seeds_of` and the step of each."""
    return mix(mix(seeds + steps) + np.uint32(layer))


class CallDropout:
    """The factors of calls of dropout in modules, of any shapes and rates."""

    def __init__(self) -> None:
        self._places = mix(np.arange(0, dtype=np.uint32))

    def factors(self, keys: NDArray[np.uint32], kept: Kept, shape: Sequence[int]) -> Tensor:
        """Zero, or what the others are multiplied by: `(L, *shape)`.

        Args:
            keys: of the lanes, `(L,)`.
            kept: at the rates of the lanes.
            shape: of what is dropped in one lane, rows first.
        """
        hashes = mix(keys[:, np.newaxis] ^ self._first(math.prod(shape)))
        factors = (hashes >= kept.least) * kept.scale
        return torch.from_numpy(factors.reshape(len(keys), *shape))

    def _first(self, count: int) -> NDArray[np.uint32]:
        """The scrambled first places, kept for the next call."""
        if count > len(self._places):
            self._places = mix(np.arange(count, dtype=np.uint32))
        return self._places[:count]


def _column(values: Sequence[float], kind: type[Any]) -> NDArray[Any]:
    return np.array(values, kind)[:, np.newaxis]


def mix(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Scrambles 32-bit numbers in place: `lowbias32` of github.com/skeeto/hash-prospector."""
    values ^= values >> np.uint32(16)
    values *= np.uint32(0x7FEB352D)
    values ^= values >> np.uint32(15)
    values *= np.uint32(0x846CA68B)
    values ^= values >> np.uint32(16)
    return values


def mixed(value: int) -> int:
    """`mix` of one number, which may be larger, in Python's integers: faster than an array."""
    value &= _MASK
    value = (value ^ value >> 16) * 0x7FEB352D & _MASK
    value = (value ^ value >> 15) * 0x846CA68B & _MASK
    return value ^ value >> 16
