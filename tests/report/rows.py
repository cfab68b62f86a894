"""Rows of a ledger for the report's tests."""

from __future__ import annotations

import csv
import io
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from xortune.ledger import TrialRow
from xortune.trial import LOSS_FNS, LossFn, Outcome, Params, Scores, State, Trial

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.none() | st.text(st.sampled_from('ab,;"|é\n '), min_size=1)


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
    loss_fn: LossFn = "mse",
    accuracy: float = 0.75,
) -> TrialRow:
    trial = Trial(number, number // 4, Params(0.1, epochs, 7, loss_fn))
    scores = Scores(train_loss=2 * mse, mse=mse, bce=bce, accuracy=accuracy)
    return TrialRow(trial, Outcome("COMPLETE", scores, duration_s=0.5, worker="host:1"))


def failed(number: int, state: State = "FAIL") -> TrialRow:
    return TrialRow(Trial(number, number // 4, Params()), Outcome(state, error="it | broke"))


def waiting(number: int) -> TrialRow:
    return TrialRow(Trial(number, number // 4, Params()), None)


@st.composite
def ledgers(draw) -> list[TrialRow]:
    """Up to five trials, with any finite floats, in any state."""
    rows = []
    for number in range(draw(st.integers(0, 5))):
        params = Params(
            draw(st.floats(min_value=0, exclude_min=True, allow_infinity=False)),
            draw(st.integers(1, 2**31 - 1)),
            draw(st.integers(0, 2**32 - 1)),
            draw(st.sampled_from(LOSS_FNS)),
        )
        rest = {"duration_s": draw(FINITE), "worker": draw(TEXTS), "error": draw(TEXTS)}
        scores = Scores(*(draw(FINITE) for _ in range(4)))
        outcome = draw(
            st.sampled_from([None, Outcome("FAIL", **rest), Outcome("COMPLETE", scores, **rest)])
        )
        rows.append(TrialRow(Trial(number, number // 2, params), outcome))
    return rows
