"""A problem that is not XOR, with an engine in plain Python: what the rooms make of any problem.

A trial climbs a hill of one dimension; height is to be maximised. `wide` is a choice of booleans,
`size` one of numbers, and `note` of texts.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from xortune.engines.engine import Pace
from xortune.spec import Metric, Objective, Parameter, ProblemSpec, Series
from xortune.trial import Curve, Lane, Outcome, Paused, RawArray, Weights

SPEC = ProblemSpec(
    problem="hill",
    parameters=(
        Parameter("rate", "float", 0.1, low=0.0, high=1.0),
        Parameter("steps", "int", 5, low=1, high=50),
        Parameter("wide", "choice", False, choices=(False, True)),
        Parameter("size", "choice", 8, choices=(8, 16, 32)),
        Parameter("note", "choice", "a", choices=("a", "b c"), ordered=False),
        Parameter("start", "int", 0, low=-9, high=9, ordered=False),
    ),
    metrics=(Metric("gap", "loss"), Metric("height"), Metric("reached", "share")),
    loss="gap",
    objectives=(Objective("height", "maximize"),),
    curve=(Series("way", "way"),),
    cost="steps",
)
SPACE = {
    "rate": {"min": 0.0, "max": 1.0},
    "steps": {"min": 1, "max": 20},
    "wide": {"values": [False, True]},
    "size": {"values": [8, 32]},
    "note": {"values": ["a", "b c"]},
    "start": {"min": -9, "max": 9},
}


class HillEngine:
    """See `xortune.engines.engine.Engine`; also its own trainer."""

    spec = SPEC
    name = "hill-1"
    bits = "lane"
    generation = 4
    probe = SPEC.defaults
    reference = (SPEC.defaults,)
    first_failures = 0
    pauses = True

    def pace(self, device: str) -> Pace:
        return Pace(cost_per_s=1e4, least_lanes=1, slowest_s=1e-3, largest=64)

    def libraries(self, device: str) -> tuple[str, ...]:
        return ()

    def open(self, device: str) -> HillEngine:
        return self

    def train(
        self,
        lanes: Sequence[Lane],
        log_every: int | None,
        heartbeat: Callable[[], None] = lambda: None,
        until: int | None = None,
    ) -> list[Outcome]:
        heartbeat()
        return [_climbed(lane, log_every or 1, until) for lane in lanes]


def _climbed(lane: Lane, log_every: int, until: int | None) -> Outcome:
    p: Any = lane.params
    begin, x, way = 0, float(p["start"]), []
    if lane.paused is not None:
        begin, curve = lane.paused.epoch, lane.paused.curve
        (x,) = struct.unpack("<d", lane.paused.arrays["x"].content)
        way = [*zip(curve.epochs, curve.series["way"])]
    end = p["steps"] if until is None else max(begin, min(until, p["steps"]))
    for step in range(begin, end):
        if step % log_every == 0:
            way.append((step, x))
        x -= p["rate"] * (x - 3) * (1 + p["wide"])
    if abs(x) > 1e3:
        return Outcome("FAIL", error="it flew away", duration_s=0.0, worker="here:1")
    epochs, values = zip(*way, (end, x))
    error = (x - 3) ** 2 / p["size"]
    scores = SPEC.scores((error, -abs(x - 3), float(abs(x - 3) < 0.5)))
    curve = Curve(epochs, {"way": values})
    weights = Weights((("x", (1,)),), struct.pack("<f", x))
    if end == p["steps"]:
        return Outcome("COMPLETE", scores, curve, weights, 0.0, "here:1")
    so_far = Curve(epochs[:-1], {"way": values[:-1]})
    state = Paused(end, {"x": RawArray("<f8", (1,), struct.pack("<d", x))}, so_far)
    return Outcome("RUNNING", scores, curve, weights, 0.0, "here:1", paused=state)
