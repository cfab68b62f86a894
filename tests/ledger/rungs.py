"""Studies of XOR with replicates and rungs, and what Hypothesis draws for their lanes."""

from __future__ import annotations

import math
import sqlite3
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.make import make_curve, make_outcome, make_provenance, make_scores, make_settings
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.problems.xor.spec import SPEC
from xortune.settings import StudySettings
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS, REPLICATES, STD, ProblemSpec
from xortune.trial import (
    Curve,
    FinishedTrial,
    Outcome,
    Paused,
    RawArray,
    Replicate,
    Scores,
    Trial,
    Weights,
)

DTYPES = {"<f4": 4, "<f8": 8, "<i4": 4, "<i8": 8, "<u4": 4, "<u8": 8, "|u1": 1, "|b1": 1}
RUNGS = (5, 15)


def rung_settings(replicates: int = 1, *, pruner: str = "halving", **values: Any) -> StudySettings:
    """Settings of a study, whose spec has what replicates and a pruner add."""
    spec = SPEC.extended(replicated=replicates > 1, pruned=pruner != "none")
    rungs = RUNGS if pruner != "none" else ()
    given = {"replicates": replicates, "pruner": pruner, "rungs": rungs, "trials": 8, **values}
    return replace(make_settings(**given), spec=spec)


def trial_of(spec: ProblemSpec, number: int) -> Trial:
    return Trial(number, 0, spec.assignment({"lr": 0.5, "epochs": 20}))


def new_study(folder: Path, settings: StudySettings) -> StudyPaths:
    """A study of eight waiting trials."""
    paths = StudyPaths(folder)
    with Ledger.create(paths, settings, make_provenance()) as ledger:
        ledger.add_trials(trial_of(settings.spec, number) for number in range(8))
    return paths


def edit(paths: StudyPaths, statement: str) -> None:
    """Changes a ledger as another program does."""
    with closing(sqlite3.connect(paths.ledger)) as connection, connection:
        connection.execute(statement)


def rows_of(paths: StudyPaths, table: str, sealed: str) -> int:
    """The number of rows of a table, which has to be what the seal has in a column."""
    with closing(sqlite3.connect(paths.ledger)) as connection:
        (count,) = connection.execute(f"SELECT {sealed} FROM seal").fetchone()
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)
    return count


def extended(spec: ProblemSpec, **values: float) -> Scores:
    """The scores of a trial: NaN for the metrics that are not given."""
    return spec.scores(values.get(name, math.nan) for name in spec.metric_names)


def complete(spec: ProblemSpec, number: int, replicates: int = 0) -> FinishedTrial:
    """A complete trial with this many replicates, the last of which failed."""
    added = {STD: 0.125, REPLICATES: float(replicates)} if replicates else {}
    scores = extended(spec, **make_scores(), **added)
    outcome = make_outcome(scores=scores, replicates=trained(replicates), duration_s=1.5)
    return FinishedTrial(trial_of(spec, number), outcome)


def pruned(spec: ProblemSpec, number: int, epoch: int = 5, loss: float = 0.75) -> FinishedTrial:
    """A trial that is pruned at a rung."""
    scores = extended(spec, **{PRUNED_EPOCH: float(epoch), PRUNED_LOSS: loss})
    curve = make_curve((0, epoch), (1.0, 0.5), (1.0, loss))
    return FinishedTrial(trial_of(spec, number), Outcome("PRUNED", scores, curve, None, 0.5))


def trained(count: int) -> tuple[Replicate, ...]:
    """Replicates from place 0 on, the last of which failed."""
    scores = [make_scores(mse=0.25 / (1 + place)) for place in range(count - 1)]
    sound = [Replicate(place, "COMPLETE", one, 0.5) for place, one in enumerate(scores)]
    return (*sound, Replicate(count - 1, "FAIL", None, 0.25, "it broke")) if count else ()


def lane(state: str = "RUNNING", epoch: int = 5) -> Outcome:
    """The outcome of a lane at a rung; paused if it is running."""
    curve = make_curve((0, epoch), (1.0, 0.5), (1.0, 0.25))
    arrays = {"weights": RawArray("<f4", (3, 3), bytes(range(36)))}
    arrays |= {"momentum": RawArray("<f8", (), struct.pack("<d", 0.5))}
    paused = Paused(epoch, arrays, make_curve((0,), (1.0,), (1.0,)))
    values: dict[str, Any] = {"curve": curve, "duration_s": 0.25, "worker": "host:1"}
    if state == "RUNNING":
        values |= {"scores": make_scores(), "paused": paused}
    return Outcome(state, **values)  # type: ignore[arg-type]


_FLOATS = st.floats() | st.sampled_from((0.0, -0.0, math.nan, math.inf))
# Names that an engine may give, also those that look like the ledger's own.
NAMES = st.text() | st.sampled_from((":outcome", ":curve:epochs", "::scores", ":", "w"))
_SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)
_SECONDS = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """A curve with any series, perhaps without points."""
    epochs = draw(st.lists(st.integers(0, 2**53), max_size=4, unique=True).map(sorted))
    losses = st.lists(_FLOATS, min_size=len(epochs), max_size=len(epochs)).map(tuple)
    return Curve(tuple(epochs), draw(st.dictionaries(NAMES, losses, max_size=3)))


@st.composite
def raw_arrays(draw: st.DrawFn) -> RawArray:
    dtype, shape = draw(st.sampled_from([*DTYPES])), draw(_SHAPES)
    size = math.prod(shape) * DTYPES[dtype]
    content = draw(st.binary(min_size=size, max_size=size))
    return RawArray(dtype, shape, bytes(b & 1 for b in content) if dtype == "|b1" else content)


@st.composite
def all_weights(draw: st.DrawFn) -> Weights:
    layout = draw(st.lists(st.tuples(st.text(), _SHAPES), max_size=3).map(tuple))
    size = 4 * sum(math.prod(shape) for _, shape in layout)
    return Weights(layout, draw(st.binary(min_size=size, max_size=size)))


PAUSED = st.builds(
    Paused,
    st.integers(0, 2**53),
    st.dictionaries(NAMES, raw_arrays(), max_size=4),
    curves(),
)
LANES = st.builds(
    Outcome,
    st.sampled_from(["COMPLETE", "PRUNED", "FAIL", "RUNNING"]),
    scores=st.none() | st.tuples(*[_FLOATS] * len(SPEC.metrics)).map(SPEC.scores),
    curve=curves(),
    weights=st.none() | all_weights(),
    duration_s=_SECONDS,
    worker=st.none() | st.text(),
    error=st.none() | st.text(),
    paused=st.none() | PAUSED,
)


def plain(outcome: Outcome) -> object:
    """An outcome that equals itself even where it holds NaN: its floats by their bits."""
    state = outcome.paused
    return (
        replace(outcome, scores=None, curve=Curve(), paused=None),
        None if outcome.scores is None else (*outcome.scores, *_bits(outcome.scores.row)),
        _plain_curve(outcome.curve),
        None if state is None else (state.epoch, [*state.arrays.items()]),
        None if state is None else _plain_curve(state.curve),
    )


def _plain_curve(curve: Curve) -> object:
    return curve.epochs, [(name, _bits(losses)) for name, losses in curve.series.items()]


def _bits(values: tuple[float, ...]) -> tuple[bytes, ...]:
    assert {*map(type, values)} <= {float}
    return tuple(struct.pack("<d", value) for value in values)
