"""CSV, JSON and Markdown: readable again, to the last bit."""

import json
import math

import pandas as pd
from hypothesis import given, settings

from tests.report.rows import complete, failed, ledgers, on_one_line, read_csv, waiting
from xortune.report import COLUMNS, as_csv, as_json, as_markdown, plain_rows, trials_frame

ROWS = [complete(0, 0.1 + 0.2, accuracy=1.0), failed(1), waiting(2)]


def test_csv_begins_with_the_columns() -> None:
    header, *lines = as_csv(trials_frame(ROWS, "mse")).splitlines()
    assert header == ",".join(COLUMNS)
    assert len(lines) == 3
    assert lines[0].startswith("1,0,COMPLETE,0.1,10,7,mse,0.30000000000000004,")
    assert lines[1].startswith(",1,FAIL,0.1,10000,42,mse,,,,,,,,0,,")


@settings(max_examples=40, deadline=None)
@given(ledgers())
def test_csv_keeps_every_bit(rows) -> None:
    frame = trials_frame(rows, "mse")
    assert read_csv(as_csv(frame), frame) == on_one_line(plain_rows(frame))


def strict(text: str) -> dict:
    """The JSON, refusing the NaN and Infinity that are none."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


@settings(max_examples=40, deadline=None)
@given(ledgers())
def test_json_keeps_every_bit(rows) -> None:
    frame = trials_frame(rows, "bce")
    report = strict(as_json({"name": "one"}, {"trials": len(rows)}, frame))
    assert list(report) == ["study", "summary", "trials"]
    assert report["study"] == {"name": "one"}
    assert report["summary"] == {"trials": len(rows)}
    assert report["trials"] == plain_rows(frame)
    for row, (_, expected) in zip(report["trials"], frame.iterrows(), strict=True):
        assert list(row) == list(COLUMNS)
        for name, value in row.items():
            assert pd.isna(expected[name]) if value is None else value == expected[name]


def test_what_is_missing_is_null() -> None:
    by_number = {row["number"]: row for row in plain_rows(trials_frame(ROWS, "mse"))}
    missing = {key for key, value in by_number[2].items() if value is None}
    assert missing == {
        "rank", "final_loss", "train_loss", "mse", "bce", "accuracy", "solved", "duration_s",
        "worker", "error",
    }  # fmt: skip
    assert by_number[0]["error"] is None
    assert by_number[1]["error"] == "it | broke"


def test_plain_values_are_pythons_own() -> None:
    row = plain_rows(trials_frame(ROWS, "mse"))[0]
    assert {key: type(value) for key, value in row.items() if value is not None} == {
        "rank": int, "number": int, "state": str, "lr": float, "epochs": int, "seed": int,
        "loss_fn": str, "final_loss": float, "train_loss": float, "mse": float, "bce": float,
        "accuracy": float, "solved": bool, "duration_s": float, "generation": int, "worker": str,
    }  # fmt: skip


def test_no_infinity_in_json() -> None:
    frame = pd.DataFrame({"a": [math.inf, -math.inf, math.nan, 0.5]})
    assert [row["a"] for row in plain_rows(frame)] == [None, None, None, 0.5]
    assert [row["a"] for row in strict(as_json({}, {}, frame))["trials"]] == [None] * 3 + [0.5]


def test_markdown_is_one_table() -> None:
    header, rule, *lines = as_markdown(trials_frame(ROWS, "mse")).splitlines()
    assert header == "| " + " | ".join(COLUMNS) + " |"
    assert rule == "|" + " --- |" * len(COLUMNS)
    assert lines[0].startswith("| 1 | 0 | COMPLETE | 0.1 | 10 | 7 | mse | 0.30000000000000004 |")
    assert lines[1].endswith(r"| it \| broke |")
    assert len(lines) == 3


@settings(max_examples=40, deadline=None)
@given(ledgers())
def test_markdown_has_a_line_a_trial_and_a_cell_a_column(rows) -> None:
    text = as_markdown(trials_frame(rows, "mse"))
    assert text.endswith("|\n")
    lines = text.removesuffix("\n").split("\n")
    assert len(lines) == 2 + len(rows)
    for line in lines:
        assert line.replace(r"\|", "").count("|") == len(COLUMNS) + 1


def test_a_study_without_trials() -> None:
    frame = trials_frame([], "mse")
    assert as_csv(frame) == ",".join(COLUMNS) + "\n"
    assert strict(as_json({}, {}, frame))["trials"] == []
    assert len(as_markdown(frame).splitlines()) == 2
