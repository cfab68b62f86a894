"""Tables of trials for the report's tests."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from tests.make import make_outcome, make_params, make_scores, make_trial
from xortune.problems.xor.spec import LOSS_FNS, SPEC
from xortune.report import trials_frame
from xortune.trial import State, Trial, TrialRow
from xortune.trial_table import TrialTable

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.none() | st.text(st.sampled_from('ab,;"|é\n '), min_size=1)


def make_frame(rows: Iterable[TrialRow], metric: str = "mse") -> pd.DataFrame:
    """The ranked frame of rows of XOR, which are numbered from 0 and may come in any order."""
    table = TrialTable(SPEC.with_objective(metric))
    for row in sorted(rows, key=lambda row: row.trial.number):
        table.add(row.trial)
        if row.outcome is not None:
            table.finish(row.trial.number, row.outcome)
    return trials_frame(table)


def renumbered(rows: Iterable[TrialRow]) -> list[TrialRow]:
    """The rows, numbered from 0 in the order in which they come."""
    return [row._replace(trial=row.trial._replace(number=n)) for n, row in enumerate(rows)]


def read_csv(text: str, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a CSV text as the plain values of a frame with the same columns."""
    kinds = {"Int64": int, "int64": int, "float64": float, "string": str}
    readers = {name: kinds.get(str(dtype), "True".__eq__) for name, dtype in frame.dtypes.items()}
    return [
        {name: readers[name](cell) if cell else None for name, cell in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]


def on_one_line(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The plain values of rows as a CSV file has them: a line break is spelled out."""
    return [
        {k: v.replace("\n", r"\n") if isinstance(v, str) else v for k, v in row.items()}
        for row in rows
    ]


def complete(
    number: int,
    mse: float,
    *,
    bce: float = 1.0,
    epochs: int = 10,
    loss_fn: str = "mse",
    accuracy: float = 0.75,
) -> TrialRow:
    trial = make_trial(number, number // 4, epochs=epochs, seed=7, loss_fn=loss_fn)
    scores = make_scores(train_loss=2 * mse, mse=mse, bce=bce, accuracy=accuracy)
    return TrialRow(trial, make_outcome(scores=scores, duration_s=0.5, worker="host:1"))


def failed(number: int, state: State = "FAIL", error: str = "it | broke") -> TrialRow:
    return TrialRow(make_trial(number, number // 4), make_outcome(state, error=error))


def waiting(number: int) -> TrialRow:
    return TrialRow(make_trial(number, number // 4))


@st.composite
def ledgers(draw) -> list[TrialRow]:
    """Up to five trials, with any finite floats, in any state."""
    rows = []
    for number in range(draw(st.integers(0, 5))):
        params = make_params(
            lr=draw(st.floats(min_value=0, exclude_min=True, allow_infinity=False)),
            epochs=draw(st.integers(1, 2**31 - 1)),
            seed=draw(st.integers(0, 2**32 - 1)),
            loss_fn=draw(st.sampled_from(LOSS_FNS)),
        )
        rest = {"duration_s": draw(FINITE), "worker": draw(TEXTS), "error": draw(TEXTS)}
        scores = make_scores(*(draw(FINITE) for _ in range(4)))
        outcomes = [None, make_outcome("FAIL", **rest), make_outcome(scores=scores, **rest)]
        outcome = draw(st.sampled_from(outcomes))
        rows.append(TrialRow(Trial(number, number // 2, params), outcome))
    return rows
