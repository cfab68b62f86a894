"""CSV, JSON and Markdown: readable again, to the last bit."""

import json
import math

import pandas as pd
from hypothesis import given, settings

from tests.report.rows import complete, failed, ledgers, make_frame, on_one_line, read_csv, waiting
from xortune.problems.xor.spec import SPEC
from xortune.report import as_csv, as_json, as_markdown, columns, plain_rows

COLUMNS = columns(SPEC)
ROWS = [complete(0, 0.1 + 0.2, accuracy=1.0), failed(1), waiting(2)]


def test_csv_begins_with_the_columns() -> None:
    header, *lines = as_csv(make_frame(ROWS)).splitlines()
    assert header == ",".join(COLUMNS)
    assert len(lines) == 3
    assert lines[0].startswith("1,0,COMPLETE,0.1,10,7,mse,0.30000000000000004,")
    assert lines[1].startswith(",1,FAIL,0.1,10000,42,mse,,,,,,,,0,,")


@settings(max_examples=40, deadline=None)
@given(ledgers())
def test_csv_keeps_every_bit(rows) -> None:
    frame = make_frame(rows)
    assert read_csv(as_csv(frame), frame) == on_one_line(plain_rows(frame))


def strict(text: str) -> dict:
    """The JSON, refusing NaN and Infinity, which JSON lacks."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


@settings(max_examples=40, deadline=None)
@given(ledgers())
def test_json_keeps_every_bit(rows) -> None:
    frame = make_frame(rows, "bce")
    report = strict(as_json({"name": "one"}, {"trials": len(rows)}, frame))
    assert list(report) == ["study", "summary", "trials"]
    assert report["study"] == {"name": "one"}
    assert report["summary"] == {"trials": len(rows)}
    assert report["trials"] == plain_rows(frame)
    for row, (_, expected) in zip(report["trials"], frame.iterrows(), strict=True):
        assert list(row) == list(COLUMNS)
        for name, value in row.items():
            assert pd.isna(expected[name]) if value is None else value == expected[name]


def test_missing_values_are_null() -> None:
    by_number = {row["number"]: row for row in plain_rows(make_frame(ROWS))}
    missing = {key for key, value in by_number[2].items() if value is None}
    assert missing == {
        "rank", "final_loss", "train_loss", "mse", "bce", "accuracy", "solved", "duration_s",
        "worker", "error",
    }  # fmt: skip
    assert by_number[0]["error"] is None
    assert by_number[1]["error"] == "it | broke"


def test_plain_values_are_pythons_own() -> None:
    row = plain_rows(make_frame(ROWS))[0]
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
    header, rule, *lines = as_markdown(make_frame(ROWS)).splitlines()
    assert header == "| " + " | ".join(COLUMNS) + " |"
    assert rule == "|" + " --- |" * len(COLUMNS)
    assert lines[0].startswith("| 1 | 0 | COMPLETE | 0.1 | 10 | 7 | mse | 0.30000000000000004 |")
    assert lines[1].endswith(r"| it \| broke |")
    assert len(lines) == 3


@settings(max_examples=40, deadline=None)
@given(ledgers())
def test_markdown_has_a_line_a_trial_and_a_cell_a_column(rows) -> None:
    text = as_markdown(make_frame(rows))
    assert text.endswith("|\n")
    lines = text.removesuffix("\n").split("\n")
    assert len(lines) == 2 + len(rows)
    for line in lines:
        assert line.replace(r"\|", "").count("|") == len(COLUMNS) + 1


def test_a_study_without_trials() -> None:
    frame = make_frame([])
    assert as_csv(frame) == ",".join(COLUMNS) + "\n"
    assert strict(as_json({}, {}, frame))["trials"] == []
    assert len(as_markdown(frame).splitlines()) == 2
