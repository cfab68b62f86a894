"""Ranges of numbers with round ends, to group trials by."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

MOST = 8  # ranges, and different numbers that are left as they are
_STEPS = (1, 2, 2.5, 5)


class Bins(NamedTuple):
    """Ranges side by side. Each holds its lower end, and the last one both ends."""

    ends: tuple[float, ...]  # ascending, one more than there are ranges
    whole: bool  # whether the numbers are

    def place(self, value: float) -> int:
        """The range of a number; numbers beyond the ends count as in the first or the last."""
        return min(max(bisect_right(self.ends, value) - 1, 0), len(self.ends) - 2)

    def label(self, place: int) -> str:
        """The range in words: `100 to 199` of whole numbers, else `0.1 to 0.3`."""
        low, high = self.ends[place], self.ends[place + 1]
        if self.whole:
            last = math.floor(high) if place == len(self.ends) - 2 else math.ceil(high) - 1
            first = math.ceil(low)
            return str(first) if first >= last else f"{first} to {last}"
        return f"{low:.6g} to {high:.6g}"


def bins_of(low: float, high: float, *, log: bool, whole: bool) -> Bins:
    """At most `MOST` ranges from one number to another, with round ends between the two.

    Args:
        low: the lowest number; above 0 on a logarithmic scale.
        high: the highest, above `low`.
        log: whether the scale is logarithmic.
        whole: whether the numbers are whole.
    """
    narrow = log and math.log10(high) - math.log10(low) < 1
    inner = _log_ends(low, high) if log and not narrow else _linear_ends(low, high, whole)
    return Bins((low, *_within(inner, low, high), high), whole)


def is_log(values: Sequence[float]) -> bool:
    """Whether numbers without a known scale span three decades or more."""
    return min(values) > 0 and math.log10(max(values)) - math.log10(min(values)) >= 3


def _log_ends(low: float, high: float) -> list[float]:
    """Ends within each decade, or of every decade, or of so few that the ranges are not many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for ends in ((1, 2, 5), (1, 3)):
        found = [_scaled(end, power) for power in powers for end in ends]
        if len(_within(found, low, high)) < MOST:
            return found
    every = 1
    while True:
        found = [_scaled(1, power) for power in powers if power % every == 0]
        if len(_within(found, low, high)) < MOST:
            return found
        every += 1


def _linear_ends(low: float, high: float, whole: bool) -> list[float]:
    """Multiples of the least round step that makes few enough ranges."""
    # The difference of two floats may be infinite.
    power = math.floor(math.log10(max(high / MOST - low / MOST, 1e-300)))
    steps = [_scaled(step, at) for at in (power, power + 1, power + 2) for step in _STEPS]
    for step in steps:
        if whole and not step.is_integer():
            continue
        first, last = math.floor(low / step), math.ceil(high / step)
        found = [at * step for at in range(first, min(last, first + 2 * MOST) + 1)]
        if len(_within(found, low, high)) < MOST:
            return found
    return []


def _within(ends: Sequence[float], low: float, high: float) -> list[float]:
    return [end for end in ends if low < end < high]


def _scaled(number: float, power: int) -> float:
    """A number times a power of ten, as the float nearest to the decimal: 0.3, not 3 x 0.1."""
    return float(f"{number}e{power}")
