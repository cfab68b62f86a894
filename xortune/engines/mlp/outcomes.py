"""A lane in training, and the outcome that it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from xortune.engines.curve_points import Points, fault_of
from xortune.engines.mlp.lane import Progress
from xortune.spec import ProblemSpec
from xortune.trial import Outcome, Paused, Weights


@dataclass
class Training:
    """A lane of a block in training; `paused` is its state once it pauses."""

    params: dict[str, Any]
    progress: Progress
    points: Points
    paused: Paused | None = None

    @property
    def finished(self) -> bool:
        return self.progress.finished(self.params["epochs"], self.params["early_stopping"])

    def end(self, until: int | None) -> int:
        """The epoch at which it pauses, or ends at the latest."""
        epochs: int = self.params["epochs"]
        return epochs if until is None else min(until, epochs)


class Share(NamedTuple):
    """A lane's part of its block's time, and where it was trained."""

    duration_s: float
    worker: str


def failure(training: Training, share: Share) -> Outcome:
    """The outcome of a lane whose loss did not stay finite."""
    error = f"loss is not finite at epoch {training.progress.epoch}"
    return Outcome("FAIL", None, training.points.curve(training.progress), None, *share, error)


def outcome_of(
    spec: ProblemSpec,
    training: Training,
    found: Mapping[str, float],
    weights: Weights,
    share: Share,
) -> Outcome:
    """The outcome of a lane that has ended or paused.

    Args:
        spec: the table's, with the objectives of the study.
        training: of the lane.
        found: the metrics of its best weights.
        weights: the best.
        share: of the time.
    """
    best_epoch, paused = training.progress.best_epoch, training.paused
    curve = training.points.curve(training.progress)
    fault = fault_of(spec, found, best_epoch)
    if fault is not None and paused is None:
        return Outcome("FAIL", None, curve, None, *share, fault)
    if fault is not None:  # Its best weights may be others when it ends.
        return Outcome("RUNNING", None, curve, None, *share, paused=paused)
    found = {**found, "best_epoch": float(best_epoch)}
    scores = spec.scores([found[name] for name in spec.metric_names])
    trained = scores, curve, weights, *share
    return Outcome("COMPLETE" if paused is None else "RUNNING", *trained, paused=paused)
