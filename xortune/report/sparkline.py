"""Curves as lines of text: ▇▆▃▁, or where a terminal has no such characters %+-_."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from xortune.spec import ProblemSpec
from xortune.trial import Curve

WIDTH = 8  # characters
_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII = "_.-:=+*#"
_DECADES = 2  # From here on a scale is logarithmic.


class Scale(NamedTuple):
    """What the lowest and the highest character of a line stand for."""

    low: float
    high: float
    log: bool

    def place(self, value: float) -> float:
        """From 0 at the low end to 1 at the high one."""
        if self.high <= self.low:
            return 0.0
        value = min(max(value, self.low), self.high)
        if self.log:
            lowest = math.log(self.low)
            return (math.log(value) - lowest) / (math.log(self.high) - lowest)
        if math.isinf(self.high - self.low):
            return (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return (value - self.low) / (self.high - self.low)


def shown_series(spec: ProblemSpec) -> str | None:
    """The series of a curve to show: the objective's or the loss's, else the last; None without."""
    names = [series.name for series in spec.curve]
    wanted = (spec.objectives[0].metric, spec.loss)
    return next((name for name in wanted if name in names), names[-1] if names else None)


def scale_of(curves: Iterable[Curve], name: str) -> Scale | None:
    """One scale for a series of several curves; None if they have no points.

    It is logarithmic where they span two decades or more.
    """
    values = [value for curve in curves for _, value in _points(curve, name)]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None
    low, high = min(finite), max(finite)
    return Scale(low, high, low > 0 and math.log10(high) - math.log10(low) >= _DECADES)


def sparkline(curve: Curve, name: str, scale: Scale, *, plain: bool = False) -> str:
    """A series of a curve, from its first to its last point: at most `WIDTH` characters.

    Args:
        curve: the curve; points without a value, NaN, are passed over.
        name: of the series.
        scale: as `scale_of` gives it.
        plain: in ASCII.
    """
    signs, points = _ASCII if plain else _BLOCKS, _points(curve, name)
    if not points:
        return ""
    width = min(WIDTH, len(points))
    epochs = [epoch for epoch, _ in points]
    span = epochs[-1] - epochs[0]
    # The last point at or before each of evenly spaced epochs.
    wanted = (epochs[0] + span * at // max(width - 1, 1) for at in range(width))
    values = [points[bisect_right(epochs, epoch) - 1][1] for epoch in wanted]
    return "".join(signs[round(scale.place(value) * (len(signs) - 1))] for value in values)


def _points(curve: Curve, name: str) -> list[tuple[int, float]]:
    values = curve.series.get(name, ())
    return [(epoch, value) for epoch, value in zip(curve.epochs, values) if not math.isnan(value)]
