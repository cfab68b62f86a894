"""Where the units of a network stand: a column for each layer, the long ones shortened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from xortune.drawing.elements import short, width_of
from xortune.network import Network

NAME_SIZE, NUMBER_SIZE = 13.0, 14.0
LONGEST_NAME = 150.0  # pixels, of an input or an output
# Above these, the middle of a column and of the network is left out.
_MOST_UNITS, _MOST_COLUMNS = 10, 9
_MOST_WITH_NUMBERS = 16  # weights
_HEAD, _FOOT = 62.0, 56.0
_NARROWEST = 330.0  # pixels, for the legend


class Unit(NamedTuple):
    """A unit that is drawn: the centre of its circle, and its place in its column."""

    x: float
    y: float
    place: int


@dataclass(frozen=True)
class Column:
    """The units of a layer.

    Attributes:
        number: 0 for the inputs, then the layers.
        x: of the centres.
        units: those that are drawn.
        gap: the height at which the left out ones would stand; None if there are none.
    """

    number: int
    x: float
    units: tuple[Unit, ...]
    gap: float | None


@dataclass(frozen=True)
class Layout:
    """The columns that are drawn, and the measures of the drawing.

    Attributes:
        columns: from the inputs to the outputs.
        gap: the x at which columns are left out; None if there are none.
        radius: of the units' circles.
        numbers: whether there may be room for the weights.
        width, height: of the drawing.
    """

    columns: tuple[Column, ...]
    gap: float | None
    radius: float
    numbers: bool
    width: float
    height: float

    def names_fit(self, names: Iterable[str]) -> bool:
        """Whether all names of a column fit in its circles."""
        return all(width_of(name, NAME_SIZE) <= 2 * self.radius - 4 for name in names)


def layout_of(network: Network, numbers: bool = True) -> Layout:
    """The layout of a network.

    Args:
        network: the network.
        numbers: whether its weights are written on its edges, if they are few.
    """
    sizes = network.sizes
    few = sum(a * b for a, b in pairwise(sizes)) <= _MOST_WITH_NUMBERS
    numbers = numbers and few and max(sizes) <= 4
    shown, gap_after = _shown(len(sizes), _MOST_COLUMNS)
    steps = len(shown) - 1 + (gap_after is not None)
    across = _across(network) if numbers else max(70.0, min(150.0, 640 / max(steps, 1)))
    tallest = max(min(sizes[number], _MOST_UNITS + 1) for number in shown)
    up = 130.0 if numbers else max(34.0, min(60.0, 400 / tallest))
    radius = 27.0 if numbers else min(14.0, 0.34 * up)
    height = _HEAD + 2 * radius + (tallest - 1) * up + (26 if numbers else 8) + _FOOT
    middle = _HEAD + radius + (tallest - 1) * up / 2
    left, right = _room(network.inputs, radius), _room(network.outputs, radius)
    spare = max(0.0, _NARROWEST - left - right - steps * across) / 2
    columns, x, gap = [], left + spare, None
    for k, number in enumerate(shown):
        columns.append(_column(number, x, sizes[number], middle, up))
        if k == gap_after:
            gap = x + across
            x += across
        x += across
    width = x - across + right + spare
    return Layout(tuple(columns), gap, radius, numbers, width, height)


def _across(network: Network) -> float:
    """The pixels from column to column where the weights are written between them."""
    weights = (w for layer in network.layers for row in layer.weights for w in row)
    widest = max((width_of(short(weight), NUMBER_SIZE) for weight in weights), default=0.0)
    return max(200.0, 90 + 2.5 * widest)


def _column(number: int, x: float, size: int, middle: float, up: float) -> Column:
    places, gap_after = _shown(size, _MOST_UNITS)
    slots = len(places) + (gap_after is not None)
    top = middle - (slots - 1) * up / 2
    units, gap = [], None
    for k, place in enumerate(places):
        slot = k + (gap_after is not None and k > gap_after)
        units.append(Unit(x, top + slot * up, place))
        if k == gap_after:
            gap = top + (slot + 1) * up
    return Column(number, x, tuple(units), gap)


def _shown(count: int, most: int) -> tuple[list[int], int | None]:
    """The places that are shown of so many, and the one in this list after which some are not."""
    if count <= most:
        return list(range(count)), None
    first = (most + 1) // 2
    return [*range(first), *range(count - (most - first), count)], first - 1


def _room(names: Sequence[str], radius: float) -> float:
    """The pixels beside a column of circles for the names that do not fit in them."""
    places, _ = _shown(len(names), _MOST_UNITS)
    widest = max((width_of(names[place], NAME_SIZE) for place in places), default=0.0)
    outside = min(widest, LONGEST_NAME) + 10 if widest > 2 * radius - 4 else 24.0
    return radius + 16 + outside
