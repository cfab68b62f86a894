"""A lane in training, from its first block to its outcome."""

from __future__ import annotations

from typing import Any

from xortune.engines.curve_points import Points, fault_of
from xortune.engines.mlp.grouping import Kind, kind_of
from xortune.engines.mlp.lane import Floats, State
from xortune.engines.progress import Progress
from xortune.spec import ProblemSpec
from xortune.trial import NO_CURVE, Lane, Outcome, Paused, Weights


class Training:
    """How far a lane has come.

    Attributes:
        params: its settings.
        progress: its epochs and losses.
        points: of its curve.
        state: what it takes from block to block; None before its first, and within one.
        paused: its state once it has paused.
        initial: its weights before training, `(P,)`; None for those that C draws.
        error: why it cannot be trained or measured, by the user's code; empty if it can.
        found: the metrics of its best weights, and these, once it has ended or paused; None for a
            lane that fails.
        spent_s: its share of the time of its blocks.

    Args:
        lane: from its start, or from the state in which it paused.
        log_every: the epochs between two points of its curve; None for the usual ones.
        until: the epoch at which it pauses; None to train to the end.
    """

    def __init__(self, lane: Lane, log_every: int | None, until: int | None) -> None:
        self.lane = lane
        self.params: dict[str, Any] = dict(zip(lane.params, lane.params.row))
        curve = NO_CURVE if lane.paused is None else lane.paused.curve
        epochs: int = self.params["epochs"]
        self.points = Points(log_every, epochs, curve)
        self.progress = Progress(0 if lane.paused is None else lane.paused.epoch)
        self.state: State | None = None
        self.initial: Floats | None = None
        self.error = ""
        self.paused: Paused | None = None
        self.found: tuple[dict[str, float], Weights] | None = None
        self.spent_s = 0.0
        self._until = epochs if until is None else min(until, epochs)

    @property
    def left(self) -> int:
        """The epochs until it pauses, or ends at the latest."""
        return self._until - self.progress.epoch

    @property
    def ends(self) -> bool:
        """Whether it has been trained to its end."""
        return self.progress.finished(self.params["epochs"], self.params["early_stopping"])

    @property
    def kind(self) -> Kind:
        """What of it decides the cost of its block."""
        return kind_of(self.params, self.left)

    def outcome(self, spec: ProblemSpec, worker: str) -> Outcome:
        """Its outcome, with what it took and where.

        Args:
            spec: with the objectives of the study.
            worker: where it was trained.
        """
        where = self.spent_s, worker
        if self.error:
            return Outcome("FAIL", None, self.points.curve(), None, *where, self.error)
        curve = self.points.curve(self.progress)
        if self.found is None:
            error = f"loss is not finite at epoch {self.progress.epoch}"
            return Outcome("FAIL", None, curve, None, *where, error)
        found, weights = self.found
        fault = fault_of(spec, found, self.progress.best_epoch)
        if fault is not None and self.paused is None:
            return Outcome("FAIL", None, curve, None, *where, fault)
        if fault is not None:  # Its best weights may be others when it ends.
            return Outcome("RUNNING", None, curve, None, *where, paused=self.paused)
        found = {**found, "best_epoch": float(self.progress.best_epoch)}
        scores = spec.scores([found[name] for name in spec.metric_names])
        trained = scores, curve, weights, *where
        return Outcome(
            "COMPLETE" if self.paused is None else "RUNNING", *trained, None, self.paused
        )
