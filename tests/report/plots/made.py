"""Studies that were never trained: results with any number of trials, in every state."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from xortune.report import replicates_frame, summarise, trials_frame
from xortune.report.results import Results
from xortune.run_time import RunTime
from xortune.space import load_space
from xortune.spec import (
    PRUNED_EPOCH,
    PRUNED_LOSS,
    Goal,
    Metric,
    Objective,
    Parameter,
    ProblemSpec,
    Series,
)
from xortune.trial import Curve, Outcome, Replicate, Trial, Value
from xortune.trial_table import TrialTable

SPEC = ProblemSpec(
    problem="made",
    parameters=(
        Parameter("rate", "float", 0.1, low=0.0, high=10.0, above_low=True),
        Parameter("steps", "int", 10, low=1, high=2**40),
        Parameter("kind", "choice", "plain", choices=("plain", "round", "sharp"), ordered=False),
        Parameter("wide", "choice", False, choices=(False, True)),
        Parameter("width", "choice", 8, choices=(8, 16, 32, 64)),
        Parameter("slack", "float", 0.5, low=0.0, high=1.0),  # of round ones alone
        Parameter("seed", "int", 0, low=0, high=2**32 - 1, ordered=False),
    ),
    metrics=(Metric("miss", "loss"), Metric("hits", "share")),
    loss="miss",
    objectives=(Objective("miss"),),
    curve=(Series("training", "loss/training"), Series("validation", "loss/validation")),
    cost="steps",
    solved=Goal("hits", 1.0),
    compared="kind",
)
SPACE: Mapping[str, Any] = {
    "rate": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1.0},
    "steps": {"distribution": "q_log_uniform_values", "min": 10, "max": 1000, "q": 1},
    "kind": {"values": ["plain", "round", "sharp"]},
    "wide": {"values": [False, True]},
    "width": {"values": [8, 16, 32]},
    "slack": {"min": 0.0, "max": 1.0},
    "seed": {"min": 0, "max": 9999},
}
RUN = RunTime(10.0, 1.0, 2.0, 3.0, 2, 8.0, 0.5, 4.0)

Row = tuple[dict[str, Value | None], Outcome | None]


def maximised(spec: ProblemSpec = SPEC) -> ProblemSpec:
    return replace(spec, objectives=(Objective("hits", "maximize"),))


def made(
    count: int,
    spec: ProblemSpec = SPEC,
    space: Mapping[str, Any] = SPACE,
    row: Callable[[random.Random, ProblemSpec, int], Row] | None = None,
    **more: Any,
) -> Results:
    """Results of so many trials; `more` replaces any of their fields."""
    luck = random.Random(count)
    table = TrialTable(spec)
    curves = {}
    for number in range(count):
        values, outcome = (row or complete)(luck, spec, number)
        params = spec.params(values.get(name) for name in spec.names)
        table.add(Trial(number, number // 50, params))
        if outcome is not None:
            table.finish(number, outcome)
            curves[number] = outcome.curve
    frame = trials_frame(table)
    fields: dict[str, Any] = {
        "name": "made",
        "space": load_space(space, spec),
        "trials": frame,
        "summary": summarise(frame, spec),
        "described": {"aggregate": "mean"},
        "curves": curves,
        "runs": [RUN],
    }
    return Results(**{**fields, **more})


def drawn_params(luck: random.Random) -> dict[str, Value | None]:
    kind = luck.choice(["plain", "round", "sharp"])
    return {
        "rate": 10 ** luck.uniform(-4, 0),
        "steps": round(10 ** luck.uniform(1, 3)),
        "kind": kind,
        "wide": luck.random() < 0.5,
        "width": luck.choice([8, 16, 32]),
        "slack": luck.random() if kind == "round" else None,
        "seed": luck.randrange(10_000),
    }


def complete(luck: random.Random, spec: ProblemSpec, number: int) -> Row:
    """A trial whose error depends on the rate and the kind, and on luck."""
    values: Any = drawn_params(luck)
    slope = abs(math.log10(values["rate"]) + 1) + (values["kind"] == "sharp")
    error = 10 ** (luck.gauss(0, 0.2) + slope - 3)
    known = {"miss": error, "hits": 1 / (1 + error)}
    scores = spec.scores(known.get(name, math.nan) for name in spec.metric_names)
    took = values["steps"] * 1e-3 * luck.uniform(0.9, 1.1)
    curve = falling(values["steps"], error)
    return values, Outcome("COMPLETE", scores, curve, None, took, "here:1")


def falling(steps: int, error: float) -> Curve:
    """A curve of twelve points, from 1 down to its error."""
    epochs = [steps * place // 11 for place in range(12)]
    points = tuple(error ** (place / 11) for place in range(12))
    return Curve(tuple(epochs), {"training": points, "validation": points})


def eventful(luck: random.Random, spec: ProblemSpec, number: int) -> Row:
    """Trials in every state, for a spec with rungs; the first one is complete."""
    values, outcome = complete(luck, spec, number)
    fate = 0.9 if number == 0 else luck.random()
    if fate < 0.1:
        return values, None
    if fate < 0.3:
        why = luck.choice(["loss is not finite at epoch 3", "loss is not finite at epoch 70", ""])
        return values, Outcome("FAIL", error=why or "it flew away")
    if fate < 0.6 and PRUNED_EPOCH in spec.metric_names:
        stop = {PRUNED_EPOCH: luck.choice([3.0, 9.0]), PRUNED_LOSS: luck.random()}
        scores = spec.scores(stop.get(name, math.nan) for name in spec.metric_names)
        return values, Outcome("PRUNED", scores, falling(10, 0.5), None, 0.5, "here:1")
    return values, outcome


def waiting(luck: random.Random, spec: ProblemSpec, number: int) -> Row:
    return drawn_params(luck), None


def failing(luck: random.Random, spec: ProblemSpec, number: int) -> Row:
    return drawn_params(luck), Outcome("FAIL", error=f"ValueError: no luck with {number}")


def alike(luck: random.Random, spec: ProblemSpec, number: int) -> Row:
    """Trials without curves that all come to the same."""
    values, _ = complete(luck, spec, number)
    return {**values, "steps": 50}, Outcome("COMPLETE", spec.scores((0.5, math.nan)))


def unmeasured(luck: random.Random, spec: ProblemSpec, number: int) -> Row:
    """Every other trial lacks its objective, which is not its final loss."""
    values, outcome = complete(luck, spec, number)
    if number % 2 or outcome is None:
        return values, outcome
    return values, Outcome("COMPLETE", spec.scores((0.5, math.nan)), outcome.curve)


def trainings(spec: ProblemSpec, search: int, confirmation: int, failed: int = 0) -> pd.DataFrame:
    """So many trainings of one trial, the first of which failed."""
    luck = random.Random(search + confirmation)
    found = []
    for place in range(search + confirmation):
        values = {"miss": 10 ** luck.uniform(-3, 0), "hits": float(luck.random() < 0.7)}
        scores = spec.scores(values.get(name, math.nan) for name in spec.metric_names)
        ended = Replicate(place, "COMPLETE", scores, 0.1)
        found.append(Replicate(place, "FAIL", error="no") if place < failed else ended)
    seeds = [None, *range(100, 100 + search + confirmation)]
    return replicates_frame(spec, found, seeds, search, None)
