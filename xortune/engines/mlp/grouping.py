"""Which lanes share a block: those for which all blocks together cost the least."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xortune.engines.mlp.native.library import CHUNK, LANES
from xortune.problems.table.rows import Fold
from xortune.problems.table.spec import ACTIVATIONS

# Nanoseconds of a lane alone, on one core, measured: of a multiplication with an addition, of a
# number's update, of a unit in a row, of its dropout, and of a row.
_ALONE = (0.0096, 1.05, 0.85, 0.2, 13.6)
# Nanoseconds of a block, of two lanes as of 16: of a multiplication with an addition, and what it
# takes longer if more numbers than these leave the second cache; of a number's update, of a unit's
# dropout in a row, and of a row.
_MULTIPLY, _FAR, _NEAR, _UPDATE, _DROP, _ROW = 0.22, 0.44, 12_000, 7.7, 10.0, 55.0
# Of a unit in a row: of ReLU alone, of another activation, and of several.
_RELU, _OTHER, _SEVERAL = 2.4, 8.2, 15.7
# The same by the activations of a block, a bit for each: that of ReLU is 1.
_UNIT = np.array(
    [_SEVERAL if some & (some - 1) else _OTHER for some in range(2 ** len(ACTIVATIONS))]
)
_UNIT[1 << ACTIVATIONS.index("relu")] = _RELU

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]


class Kind(NamedTuple):
    """What of a lane decides the cost of its block.

    Attributes:
        kind: the place of its activation among `ACTIVATIONS`.
        dropped: 1 with dropout, else 0.
        epochs: those that it trains at most.
        batch: the rows between two steps, if the table has as many.
    """

    depth: int
    width: int
    kind: int
    dropped: int
    epochs: int
    batch: int


def kind_of(params: Mapping[str, Any], epochs: int) -> Kind:
    """What decides the cost of a lane's block, for so many epochs, at least 1."""
    depth: int = params["depth"]
    dropped = int(depth > 0 and params["dropout"] > 0)
    activation = ACTIVATIONS.index(params["activation"])
    return Kind(depth, params["width"], activation, dropped, max(1, epochs), params["batch_size"])


@dataclass(frozen=True)
class Cost:
    """The cost of a block as a function of its lanes, for a table.

    Attributes:
        rows: the training rows.
        measured: the validation rows.
    """

    inputs: int
    outputs: int
    rows: int
    measured: int

    def epoch_s(
        self, depth: _Ints, width: _Ints, some: _Ints, dropped: _Ints, batch: _Ints
    ) -> _Floats:
        """The seconds of an epoch of blocks, each as deep and wide as its largest lane.

        Args:
            some: the activations of its lanes, a bit for each.
            dropped: whether any has dropout.
            batch: the smallest.
        """
        numbers, multiplied, units, steps = self._counts(depth, width, batch)
        rows = self.rows + self.measured
        found: _Floats = 1e-9 * (
            multiplied * (_MULTIPLY + _FAR * np.maximum(0, 1 - _NEAR / numbers))
            + _UPDATE * numbers * steps
            + units * rows * _UNIT[some]
            + units * self.rows * _DROP * dropped
            + _ROW * rows
        )
        return found

    def alone_s(self, depth: _Ints, width: _Ints, dropped: _Ints, batch: _Ints) -> _Floats:
        """The seconds of an epoch of lanes that train alone."""
        multiply, update, unit, drop, row = _ALONE
        numbers, multiplied, units, steps = self._counts(depth, width, batch)
        rows = self.rows + self.measured
        found: _Floats = 1e-9 * (
            multiply * multiplied
            + update * numbers * steps
            + units * (unit * rows + drop * self.rows * dropped)
            + row * rows
        )
        return found

    def _counts(
        self, depth: _Ints, width: _Ints, batch: _Ints
    ) -> tuple[_Ints, _Ints, _Ints, _Ints]:
        """The numbers of models, the multiplications of an epoch, the hidden units, the steps."""
        flat = depth == 0
        width = np.where(flat, 0, width)
        before = np.where(flat, self.inputs, width)
        first = (self.inputs + 1) * width
        numbers = first + np.maximum(depth - 1, 0) * (width + 1) * width
        numbers += (before + 1) * self.outputs
        steps = -(-self.rows // np.minimum(batch, self.rows))
        rows = self.rows + self.measured
        multiplied = numbers * rows + (2 * numbers - first) * self.rows
        return numbers, multiplied, depth * width, steps

    def of_block(self, lanes: Sequence[Kind]) -> float:
        """The seconds of an epoch of a block; one lane trains alone."""
        depth, width, kind, dropped, _, batch = zip(*lanes)
        some = 0 if len(lanes) == 1 else sum(1 << one for one in {*kind})
        return _epoch_s(self, max(depth), max(width), some, max(dropped), min(batch))


@lru_cache(maxsize=1024)
def _epoch_s(cost: Cost, *block: int) -> float:
    """As `Cost.epoch_s`, of one block, or of a lane alone; most blocks of a pack are alike."""
    depth, width, some, dropped, batch = map(np.array, block)
    if not some:
        return float(cost.alone_s(depth, width, dropped, batch))
    return float(cost.epoch_s(depth, width, some, dropped, batch))


def cost_of(fold: Fold) -> Cost:
    """The cost of blocks that train on some rows."""
    rows, inputs = fold.training.x.shape
    return Cost(inputs, fold.target.outputs, rows, len(fold.validation.x))


def sort_of_batch(batch: int, rows: int) -> int:
    """What lanes that share blocks have in common; the bits of a lane depend on whole chunks.

    Those whose batches are made of whole chunks of rows, or of all rows, are of one sort.
    """
    return 0 if batch >= rows or batch % CHUNK == 0 else batch


def portion(batches: Sequence[int], rows: int, most: int) -> int:
    """The rows of which all batches that are shorter than the table consist.

    They are as many as possible, but whole chunks of up to `most` rows where that can be.
    """
    shorter = [batch for batch in batches if batch < rows]
    most = max(most, CHUNK) // CHUNK * CHUNK
    if not shorter:
        return min(rows, most)
    common = math.gcd(*shorter)
    if common <= most or common % CHUNK:
        return common
    chunks = common // CHUNK
    return CHUNK * next(n for n in range(most // CHUNK, 0, -1) if chunks % n == 0)


def grouped(lanes: Sequence[Kind], cost: Cost) -> tuple[list[list[int]], float]:
    """The places of lanes, block by block, with the seconds that all blocks train.

    A block costs the same for two lanes as for sixteen; a lane in a piece of its own trains alone.
    The blocks are the cheapest pieces of one of two orders; of lanes of all sorts no other blocks
    were found to be cheaper by more than 2 %.
    """
    if len({*lanes}) == 1:
        return _evenly(lanes, cost)
    table = np.array(lanes, np.int64)
    found = (_cut(order, table[order], cost) for order in _orders(table, lanes, cost))
    return min(found, key=lambda cut: cut[1])


def _evenly(lanes: Sequence[Kind], cost: Cost) -> tuple[list[list[int]], float]:
    """As `grouped`, for lanes that are all alike."""
    alone_s, block_s = cost.of_block(lanes[:1]), cost.of_block([*lanes[:1]] * 2)
    pieces: list[list[int]] = []
    for at in range(0, len(lanes), LANES):
        piece = [*range(at, min(at + LANES, len(lanes)))]
        pieces += [piece] if block_s < len(piece) * alone_s else [[place] for place in piece]
    blocks = sum(len(piece) > 1 for piece in pieces)
    seconds = blocks * block_s + (len(pieces) - blocks) * alone_s
    return pieces, seconds * lanes[0].epochs


def _orders(table: _Ints, lanes: Sequence[Kind], cost: Cost) -> list[list[int]]:
    """Orders in which neighbours are of similar size, or of similar cost."""
    depth, width, kind, dropped, epochs, batch = table.T
    alone = epochs * cost.epoch_s(depth, width, 1 << kind, dropped, batch)
    return [neighbours(lanes), np.lexsort((kind, -alone)).tolist()]


def neighbours(lanes: Sequence[Kind]) -> list[int]:
    """The places of lanes, the deepest first; of a depth the width falls, of the next it rises.

    So no narrow deep lanes share a block with wide flat ones. Of one size, lanes of an activation
    come together.
    """
    depths = sorted({lane.depth for lane in lanes}, reverse=True)
    sign = {depth: (-1, 1)[rank % 2] for rank, depth in enumerate(depths)}

    def key(place: int) -> tuple[int, int, int, int]:
        lane = lanes[place]
        return -lane.depth, sign[lane.depth] * lane.width, -lane.epochs, lane.kind

    return sorted(range(len(lanes)), key=key)


def _cut(order: list[int], table: _Ints, cost: Cost) -> tuple[list[list[int]], float]:
    """The cheapest pieces of an order, of up to sixteen lanes each, by dynamic programming."""
    seconds = _pieces_s(table, cost)
    best, lengths = [0.0], [0]
    for end in range(1, len(order) + 1):
        most = min(LANES, end)
        totals = [
            best[end - length] + seconds[length - 1][end - 1] for length in range(1, most + 1)
        ]
        length = min(range(most), key=totals.__getitem__)
        best.append(totals[length])
        lengths.append(length + 1)
    pieces, end = [], len(order)
    while end:
        pieces.append(order[end - lengths[end] : end])
        end -= lengths[end]
    return pieces[::-1], best[-1]


def _pieces_s(table: _Ints, cost: Cost) -> list[list[float]]:
    """The seconds of blocks by their length, from 1, and by their last place."""
    depth, width, kind, dropped, epochs, batch = table.T
    columns = (depth, width, 1 << kind, dropped, batch, epochs)
    joins = (np.maximum, np.maximum, np.bitwise_or, np.maximum, np.minimum, np.maximum)
    tops = [column.copy() for column in columns]
    found = []
    for length in range(1, LANES + 1):
        d, w, f, p, b, most = tops
        epoch_s = cost.epoch_s(d, w, f, p, b) if length > 1 else cost.alone_s(d, w, p, b)
        found.append((most * epoch_s).tolist())
        for top, column, join in zip(tops, columns, joins):
            top[length:] = join(top[length:], column[:-length])
    return found
