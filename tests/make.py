"""Makes trials, outcomes and settings of XOR, with defaults for what a test leaves out."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

from xortune.problems.xor.spec import LAYOUT, SPEC
from xortune.settings import Provenance, StudySettings
from xortune.trial import Curve, Lane, Outcome, Params, Paused, Scores, Trial, TrialRow, Weights
from xortune.trial_table import TrialTable

# The recorded names of the engines.
EAGER, COMPILED = "eager-1", "compiled-2"


def make_params(*row: Any, **values: Any) -> Params:
    """An assignment; the lab's values where none is given: `make_params(1.0, 20, seed=3)`."""
    return SPEC.assignment({**dict(zip(SPEC.names, row)), **values})


def lanes(
    params: Iterable[Params], numbers: Sequence[int] = (), paused: Sequence[Paused | None] = ()
) -> list[Lane]:
    """A lane for each assignment; by default of the trials from 0 on, and from their start."""
    return [
        Lane(
            one,
            numbers[place] if numbers else place,
            paused=paused[place] if paused else None,
        )
        for place, one in enumerate(params)
    ]


def make_trial(number: int = 0, generation: int = 0, **values: Any) -> Trial:
    return Trial(number, generation, make_params(**values))


def make_scores(
    train_loss: float = 0.25, mse: float = 0.25, bce: float = 0.5, accuracy: float = 0.75
) -> Scores:
    return SPEC.scores((train_loss, mse, bce, accuracy))


def make_curve(
    epochs: Iterable[int], training: Iterable[float], validation: Iterable[float]
) -> Curve:
    return Curve(tuple(epochs), {"training": tuple(training), "validation": tuple(validation)})


def make_weights(numbers: Iterable[float] = range(9)) -> Weights:
    return Weights(LAYOUT, struct.pack("<9f", *numbers))


def make_outcome(state: str = "COMPLETE", **values: Any) -> Outcome:
    """A complete trial has scores and weights unless they are given; a failed one an error."""
    if state == "COMPLETE":
        values = {"scores": make_scores(), "weights": make_weights(), **values}
    else:
        values = {"error": "loss is not finite at epoch 3", **values}
    return Outcome(state, **values)  # type: ignore[arg-type]


def make_table(rows: Iterable[TrialRow]) -> TrialTable:
    """A table of rows by number, from 0."""
    table = TrialTable(SPEC)
    for row in rows:
        table.add(row.trial)
        if row.outcome is not None:
            table.finish(row.trial.number, row.outcome)
    return table


def make_settings(metric: str = "mse", **values: Any) -> StudySettings:
    """Settings of a study of XOR: `make_settings(trials=4, space=...)`."""
    space = {name: {"value": SPEC.defaults[name]} for name in SPEC.names}
    return StudySettings(
        **{"spec": SPEC.with_objective(metric), "space": space, "data": "xor", **values}
    )


def make_provenance(engine: str = COMPILED, **values: Any) -> Provenance:
    return Provenance(engine, **values)
