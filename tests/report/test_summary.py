"""A study in a few numbers."""

import json
from dataclasses import replace

from hypothesis import given, settings

from tests.report.rows import complete, failed, ledgers, make_frame, waiting
from tests.report.specs import FOREST, PLAIN, make_table_of
from xortune.problems.xor.spec import SPEC
from xortune.report import summarise, trials_frame


def summary_of(rows, metric="mse") -> dict:
    return summarise(make_frame(rows, metric), SPEC)


def test_a_summary() -> None:
    rows = [
        complete(0, 0.3, loss_fn="bce", accuracy=1.0),
        complete(1, 0.1, loss_fn="mse", accuracy=1.0),
        complete(2, 0.2, loss_fn="mse"),
        failed(3),
        waiting(4),
        failed(5),
    ]
    assert summary_of(rows) == {
        "trials": 6,
        "states": {"COMPLETE": 3, "FAIL": 2, "WAITING": 1},
        "solved": 2,
        "failures": {"it | broke": 2},
        "best": {
            "mse": {"number": 1, "rank": 1, "final_loss": 0.1},
            "bce": {"number": 0, "rank": 3, "final_loss": 0.3},
        },
    }


def test_the_best_goes_by_the_metric() -> None:
    rows = [complete(0, 0.1, bce=0.9), complete(1, 0.2, bce=0.8)]
    best = summary_of(rows, "bce")["best"]
    assert best == {"mse": {"number": 1, "rank": 1, "final_loss": 0.8}}


def test_nothing_complete() -> None:
    assert summary_of([failed(0), waiting(1)]) == {
        "trials": 2,
        "states": {"FAIL": 1, "WAITING": 1},
        "solved": 0,
        "failures": {"it | broke": 1},
        "best": {},
    }


def test_errors_that_differ_in_numbers_alone_count_as_one() -> None:
    errors = ("ends at epoch 3", "too slow", "ends at epoch 12", "ends at epoch 4.5", "a", "b")
    rows = [failed(number, error=error) for number, error in enumerate(errors)]
    assert summary_of(rows)["failures"] == {"ends at epoch 3": 3, "too slow": 1, "a": 1}


def test_no_trials() -> None:
    assert summary_of([]) == {
        "trials": 0,
        "states": {},
        "solved": 0,
        "best": {},
    }


@settings(max_examples=40, deadline=None)
@given(ledgers())
def test_a_summary_adds_up_and_goes_into_json(rows) -> None:
    summary = summary_of(rows)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["trials"] == sum(summary["states"].values()) == len(rows)
    complete_rows = [row for row in rows if row.outcome and row.outcome.state == "COMPLETE"]
    assert summary["solved"] == sum(row.outcome.scores["accuracy"] >= 1 for row in complete_rows)
    for loss_fn, best in summary["best"].items():
        losses = [
            row.outcome.scores["mse"]
            for row in complete_rows
            if row.trial.params["loss_fn"] == loss_fn
        ]
        assert best["final_loss"] == min(losses)


def test_the_best_is_by_any_choice_and_by_the_objective() -> None:
    rows = [
        ((1, None, False, 8, 1, "all"), (0.5, 0.25, 20.0)),
        ((1, None, False, 8, 1, "all"), (0.75, 0.5, 10.0)),
        ((1, None, True, 8, 1, "all"), (0.25, 0.125, 5.0)),
        ((1, None, None, 8, 1, "all"), (0.125, 1.0, 30.0)),
    ]
    assert summarise(trials_frame(make_table_of(FOREST, rows)), FOREST) == {
        "trials": 4,
        "states": {"COMPLETE": 4},
        "solved": 2,
        "best": {
            "True": {"number": 2, "rank": 4, "final_loss": 0.25, "f1": 0.125},
            "False": {"number": 1, "rank": 2, "final_loss": 0.75, "f1": 0.5},
        },
    }


def test_the_best_of_mixed_numbers_goes_by_the_choices_themselves() -> None:
    spec = replace(FOREST, compared="shrink")
    rows = [((1, None, True, 8, 0.5, "all"), (0.5, 0.5, 9.0)),
            ((1, None, True, 8, 1, "all"), (0.5, 0.25, 9.0))]  # fmt: skip
    best = summarise(trials_frame(make_table_of(spec, rows)), spec)["best"]
    assert {choice: found["number"] for choice, found in best.items()} == {"1": 1, "0.5": 0}


def test_the_best_of_texts_and_numbers_goes_by_both() -> None:
    spec = replace(FOREST, compared="features")
    rows = [((1, None, True, 8, 1, 0.5), (0.5, 0.5, 9.0)),
            ((1, None, True, 8, 1, "all"), (0.5, 0.25, 9.0))]  # fmt: skip
    best = summarise(trials_frame(make_table_of(spec, rows)), spec)["best"]
    assert {choice: found["number"] for choice, found in best.items()} == {"all": 1, "0.5": 0}


def test_no_goal_and_no_compared_parameter_leave_both_out() -> None:
    frame = trials_frame(make_table_of(PLAIN, [((0.5,), (1.0, 2.0))]))
    assert summarise(frame, PLAIN) == {"trials": 1, "states": {"COMPLETE": 1}}
