"""Trains packs of XOR, and compares what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.make import lanes
from xortune.engines.engine import Engine
from xortune.engines.xor.kernels import Stretch
from xortune.trial import Outcome, Params, Paused


def train_pack(
    engine: Engine,
    params: Sequence[Params],
    log_every: int = 500,
    paused: Sequence[Paused | None] = (),
    **how: Any,
) -> list[Outcome]:
    """Trains a pack on the CPU by an engine that is opened for it."""
    return engine.open("cpu").train(lanes(params, paused=paused), log_every, **how)


def whole(params: Sequence[Params]) -> Stretch:
    """Trials from their first epoch to their last; those with the most epochs come first."""
    return Stretch(params, [p["epochs"] for p in params])


def bits(outcome: Outcome) -> str:
    """Scores, curve, weights, state and error; NaN equals NaN, and -0.0 is not 0.0."""
    return repr(replace(outcome, duration_s=None))
