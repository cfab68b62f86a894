"""Where the numbers of a lane lie in its block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from xortune.engines.mlp.native.library import CHUNK, LANES
from xortune.problems.table.weights import layout_of
from xortune.trial import Layout


@dataclass(frozen=True)
class Shape:
    """A multilayer perceptron: its inputs, outputs, hidden units a layer, and hidden layers."""

    inputs: int
    outputs: int
    width: int
    depth: int

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        return (self.inputs, *[self.width] * self.depth, self.outputs)

    @cached_property
    def arrays(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of weights and biases, in the order of `layout_of`."""
        pairs = zip(self.sizes, self.sizes[1:])
        return tuple(shape for before, after in pairs for shape in ((after, before), (after,)))

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        return np.array([math.prod(shape) for shape in self.arrays], np.int64)

    @property
    def numbers(self) -> int:
        """`P`, of all arrays."""
        return int(self.counts.sum())

    @cached_property
    def layout(self) -> Layout:
        """The names and shapes of the arrays."""
        params = {"width": self.width, "depth": self.depth}
        return layout_of(self.inputs, self.outputs, params)

    def places_in(self, block: Shape) -> NDArray[np.int64]:
        """Where each number of this network lies in a wider and deeper one, `(P,)`.

        Its last layer is the last of the block; hidden layers that it lacks are passed by.
        """
        starts = np.concatenate(([0], np.cumsum(block.counts)))
        found = []
        for place, shape in enumerate(self.arrays):
            layer, bias = divmod(place, 2)
            layer = layer if layer < self.depth else block.depth
            start, of_block = starts[2 * layer + bias], block.arrays[2 * layer + bias]
            row = np.arange(shape[0])
            if not bias:
                row = row[:, np.newaxis] * of_block[1] + np.arange(shape[1])
            found.append(start + row.ravel())
        return np.concatenate(found)


@cache
def shape_of(inputs: int, outputs: int, width: int, depth: int) -> Shape:
    """The shape, one for all lanes that have it."""
    return Shape(inputs, outputs, width, depth)


def around(shapes: Sequence[Shape]) -> Shape:
    """The smallest block for networks of the same inputs and outputs."""
    first = shapes[0]
    width, depth = max(s.width for s in shapes), max(s.depth for s in shapes)
    return shape_of(first.inputs, first.outputs, width, depth)


def scratch_bytes(block: Shape, lanes: int = LANES) -> int:
    """The bytes that training takes in C, for vectors of 16 lanes of float32, or for one lane."""
    if lanes == 1:
        return _scratch_bytes_alone(block)
    hidden = block.width | 1  # how far rows of hidden units are apart
    rows = block.inputs + 2 * (block.depth + 1) * hidden + 3 * block.outputs
    return 4 * LANES * (block.width + CHUNK * rows + block.numbers)


def _scratch_bytes_alone(shape: Shape) -> int:
    """See lone.h: rows are filled up to vectors of 16, and some to an odd number of these."""
    wide, longest = max(shape.width, shape.outputs), max(shape.sizes)
    pairs = [(before + 15, after) for before, after in zip(shape.sizes, shape.sizes[1:])]
    numbers = sum(
        CHUNK * (2 * before + 16 + after) + (before + 1) * after + 15 for before, after in pairs
    )
    numbers += CHUNK * (shape.outputs + 2 * (wide + 15)) + 32 * shape.outputs + 16 * (longest + 1)
    return 4 * numbers


def block_bytes(block: Shape, lanes: int = LANES) -> int:
    """The bytes that a block keeps, besides the scratch that all blocks share."""
    return 4 * lanes * 4 * block.numbers
