"""What a trial reports: the points of its curve, thinned, and the metrics of its last epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from xortune.engines.function.limits import Limits
from xortune.plain_numbers import brief, real_number, whole_number
from xortune.problems.function.declared import Pruned
from xortune.trial import Curve

# The most points of a curve before its last, where the study does not say.
_POINTS = 50
_LAST_EPOCH = 2**63 - 1  # as the ledger stores it

_Point = tuple[int, tuple[float, ...]]


class Reports:
    """The `report` function of one trial.

    Args:
        names: the metrics that count, in the order of a curve's series.
        log_every: epochs between two points; None keeps every second point, and again, whenever
            there are twice as many as wanted.
        limits: of the trial, whose points are always kept.

    Attributes:
        pruned: why the trial has ended, once it has missed a limit.
        last: the metrics of the last epoch.
        odd: the values that are not numbers, as messages quote them, by name.
        unknown: the names of other metrics.
    """

    def __init__(
        self, names: Iterable[str], log_every: int | None, limits: Limits | None = None
    ) -> None:
        self._names = tuple(names)
        self._known = frozenset(self._names)
        self._log_every = log_every
        self._limits = limits
        self._epoch = -1
        self._points: list[_Point] = []
        self._kept: list[_Point] = []  # those of the limits
        self._stride = 1
        self._passed = 0
        self.pruned: str | None = None
        self.last: dict[str, float] = {}
        self.odd: dict[str, str] = {}
        self.unknown: set[str] = set()

    def __call__(self, epoch: int, **metrics: Any) -> None:
        if self.pruned is not None:  # The function has caught the exception, and gone on.
            raise Pruned(self.pruned)
        whole = whole_number(epoch)
        if whole is None or not 0 <= whole <= _LAST_EPOCH:
            raise ValueError(f"report(): the epoch {brief(epoch)} is not a whole number from 0")
        if whole < self._epoch:
            raise ValueError(f"report(): epoch {whole} comes after epoch {self._epoch}")
        if whole > self._epoch:
            self._pass()
            self._epoch = whole
            self.last = {}
        self.last.update(self.numbers(metrics))
        if self._limits is not None:
            self.pruned = self._limits.missed(whole, self.last)
            if self.pruned is not None:
                raise Pruned(self.pruned)

    def numbers(self, metrics: Mapping[Any, Any]) -> dict[str, float]:
        """The known metrics as floats, NaN for what is not a number; notes the others."""
        found = {}
        for name, value in metrics.items():
            if name not in self._known:
                self.unknown.add(str(name))
                continue
            found[name] = number = as_float(value)
            if number is None:
                self.odd[name] = brief(value)
                found[name] = math.nan
            else:
                self.odd.pop(name, None)
        return found  # type: ignore[return-value]

    def curve(self) -> Curve:
        """The curve, which always has the last epoch."""
        if self._epoch < 0:
            return Curve((), dict.fromkeys(self._names, ()))
        points = self._points
        if self._log_every is None and len(points) > _POINTS:
            points = points[::2]
        if self._kept:
            points = sorted({**dict(points), **dict(self._kept)}.items())
        epochs, values = zip(*points, self._last_point())
        return Curve(epochs, dict(zip(self._names, zip(*values))))

    def _last_point(self) -> _Point:
        return self._epoch, tuple([self.last.get(name, math.nan) for name in self._names])

    def _pass(self) -> None:
        """Keeps the point of an epoch that is over, if it is one of the curve."""
        if self._epoch < 0:
            return
        if self._limits is not None and self._limits.compared == self._epoch:
            self._kept.append(self._last_point())
        if self._log_every is not None:
            if self._epoch % self._log_every == 0:
                self._points.append(self._last_point())
            return
        if self._passed % self._stride == 0:
            self._points.append(self._last_point())
            if len(self._points) == 2 * _POINTS:
                del self._points[1::2]
                self._stride *= 2
        self._passed += 1


def as_float(value: Any) -> float | None:
    """The value as a float; None if it is not a number."""
    number = real_number(value)
    if number is None:
        return None
    try:
        return float(number)
    except OverflowError:
        return math.inf
