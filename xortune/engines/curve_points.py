"""The curve of a table's training, and whether its metrics can be ranked; for all its engines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from xortune.spec import ProblemSpec
from xortune.trial import NO_CURVE, Curve

# Points of a curve, at most, before the last epoch, unless the user says how many.
_POINTS = 50
_SERIES = ("training", "validation")
_Point = tuple[int, float, float]  # epoch, then the series


class Measured(Protocol):
    """How far a training has come, as its curve shows it."""

    epoch: int
    training: float
    validation: float


class Points:
    """The points of a trial's curve: every so many epochs, and the last.

    Args:
        every: epochs between two points; None for up to 50 before the last.
        epochs: of the trial.
        earlier: the points of a trial that continues.
    """

    def __init__(self, every: int | None, epochs: int, earlier: Curve = NO_CURVE) -> None:
        self._every = every or math.ceil(epochs / _POINTS)
        series = (earlier.series[name] for name in _SERIES if earlier.epochs)
        self._points: list[_Point] = [*zip(earlier.epochs, *series)]

    def pass_by(self, progress: Measured) -> None:
        """Keeps the epoch if it is a point."""
        if progress.epoch % self._every == 0:
            self._points.append(_point(progress))

    def add(self, epoch: int, training: Sequence[float], validation: Sequence[float]) -> None:
        """Keeps those of the epochs after `epoch`, of which the losses are, that are points."""
        every = self._every
        for later in range((epoch // every + 1) * every, epoch + 1 + len(training), every):
            place = later - epoch - 1
            self._points.append((later, training[place], validation[place]))

    def curve(self, *last: Measured) -> Curve:
        """The points so far, and the last one if it is given."""
        points = self._points + [_point(progress) for progress in last]
        epochs, *series = zip(*points) if points else ((), (), ())
        return Curve(epochs, dict(zip(_SERIES, series)))


def _point(progress: Measured) -> _Point:
    return progress.epoch, progress.training, progress.validation


def fault_of(spec: ProblemSpec, found: Mapping[str, float], epoch: int) -> str | None:
    """Why the metrics of a trial, measured at an epoch, cannot be ranked."""
    if all(map(math.isfinite, found.values())):
        return None
    needed = {"train_loss", spec.loss, *(o.metric for o in spec.objectives)}
    for name, value in found.items():
        if math.isinf(value) or (math.isnan(value) and name in needed):
            if name == "train_loss" or spec.metric(name).kind == "loss":
                return f"loss is not finite at epoch {epoch}"
            return f"{name} has no value on these validation rows"
    return None
