"""A lane in training, from its first block to its outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from xortune.engines.curve_points import Points
from xortune.engines.mlp.grouping import Kind, kind_of
from xortune.engines.mlp.lane import Progress, State
from xortune.trial import NO_CURVE, Lane, Outcome


class Training:
    """How far a lane has come.

    Attributes:
        params: its settings.
        progress: its epochs and losses.
        points: of its curve.
        state: what it takes from block to block; None before its first, and within one.
        outcome: once it has ended, or paused.
        spent_s: its share of the time of its blocks.

    Args:
        lane: from its start, or from the state in which it paused.
        log_every: the epochs between two points of its curve; None for the usual ones.
        until: the epoch at which it pauses; None to train to the end.
    """

    def __init__(self, lane: Lane, log_every: int | None, until: int | None) -> None:
        self.lane = lane
        self.params: dict[str, Any] = dict(lane.params)
        curve = NO_CURVE if lane.paused is None else lane.paused.curve
        epochs: int = self.params["epochs"]
        self.points = Points(log_every, epochs, curve)
        self.progress = Progress(0 if lane.paused is None else lane.paused.epoch)
        self.state: State | None = None
        self.outcome: Outcome | None = None
        self.spent_s = 0.0
        self._until = epochs if until is None else min(until, epochs)

    @property
    def left(self) -> int:
        """The epochs until it pauses, or ends at the latest."""
        return self._until - self.progress.epoch

    @property
    def kind(self) -> Kind:
        """What of it decides the cost of its block."""
        return kind_of(self.params, self.left)

    def finished(self, worker: str) -> Outcome:
        """Its outcome, with what it took and where."""
        assert self.outcome is not None
        return replace(self.outcome, duration_s=self.spent_s, worker=worker)
