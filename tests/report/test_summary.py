"""A study in a few numbers."""

import json

from hypothesis import given, settings

from tests.report.rows import complete, failed, ledgers, waiting
from xortune.report import summarise, trials_frame


def test_a_summary() -> None:
    rows = [
        complete(0, 0.3, loss_fn="bce", accuracy=1.0),
        complete(1, 0.1, loss_fn="mse", accuracy=1.0),
        complete(2, 0.2, loss_fn="mse"),
        failed(3),
        waiting(4),
        failed(5),
    ]
    assert summarise(trials_frame(rows, "mse")) == {
        "trials": 6,
        "states": {"COMPLETE": 3, "FAIL": 2, "WAITING": 1},
        "solved": 2,
        "best": {
            "mse": {"number": 1, "rank": 1, "final_loss": 0.1},
            "bce": {"number": 0, "rank": 3, "final_loss": 0.3},
        },
    }


def test_the_best_goes_by_the_metric() -> None:
    rows = [complete(0, 0.1, bce=0.9), complete(1, 0.2, bce=0.8)]
    best = summarise(trials_frame(rows, "bce"))["best"]
    assert best == {"mse": {"number": 1, "rank": 1, "final_loss": 0.8}}


def test_nothing_complete() -> None:
    assert summarise(trials_frame([failed(0), waiting(1)], "mse")) == {
        "trials": 2,
        "states": {"FAIL": 1, "WAITING": 1},
        "solved": 0,
        "best": {},
    }


def test_no_trials() -> None:
    assert summarise(trials_frame([], "mse")) == {
        "trials": 0,
        "states": {},
        "solved": 0,
        "best": {},
    }


@settings(max_examples=40, deadline=None)
@given(ledgers())
def test_a_summary_adds_up_and_goes_into_json(rows) -> None:
    summary = summarise(trials_frame(rows, "mse"))
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["trials"] == sum(summary["states"].values()) == len(rows)
    complete_rows = [row for row in rows if row.outcome and row.outcome.state == "COMPLETE"]
    assert summary["solved"] == sum(row.outcome.scores.accuracy == 1 for row in complete_rows)
    for loss_fn, best in summary["best"].items():
        losses = [
            row.outcome.scores.mse for row in complete_rows if row.trial.params.loss_fn == loss_fn
        ]
        assert best["final_loss"] == min(losses)
