"""What is said of a table: every column, in few short lines."""

import numpy as np
import pandas as pd
import pytest

from tests.problems.table.tables import lines, mixed_frame, written
from xortune.problems.table.splitting import DEFAULT_SPLIT, split_rows
from xortune.problems.table.table import load_table


def test_the_summary_of_a_table(tmp_path):
    frame = mixed_frame().assign(again=mixed_frame()["height"])
    path = tmp_path / "people.csv"
    frame.to_csv(path, na_rep="n/a")
    assert load_table(path, "weight").notes == (
        "people.csv: 60 rows, 20 inputs from 5 columns",
        "target weight: 60 numbers from 58.0107 to 83.8682, taken as regression",
        "rows: 36 for training, 12 for validation, 12 for test (60/20/20, seed 0)",
        "numbers, standardised: height, age, member",
        "text, an input for each value: colour (3), town (13)",
        'missing numbers, the median and an indicator: age (9, "n/a")',
        "left out, an identifier: column 1",
        "left out, dates or times: since",
        "left out, constant: planet",
        "left out, copies: again (of height)",
    )


@pytest.mark.parametrize(
    ("folds", "words"),
    [
        (4, "folds: 4 of 12 rows each, in turn for validation"),
        (5, "folds: 5 of 9 or 10 rows each, in turn for validation"),
        (48, "folds: 48 of 1 row each, in turn for validation"),
    ],
)
def test_folds_are_said_below_the_rows(folds, words):
    notes = load_table(mixed_frame(), "weight", folds=folds).notes
    rows = "rows: 48 for training and validation, 12 for test (60/20/20, seed 0)"
    assert notes[notes.index(rows) + 1] == words


def test_how_numbers_were_read_is_said(tmp_path):
    path = written(tmp_path, lines("a;y", lambda i: f"{i % 5},5;{i},25"))
    assert "read with a decimal comma: a, y" in load_table(path, "y").notes


def test_many_columns_with_long_names_take_few_lines():
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({f"{'long ' * 30}{i}": draw.normal(size=20) for i in range(300)})
    frame["y"] = draw.normal(size=20)
    notes = load_table(frame, "y").notes
    assert max(map(len, notes)) <= 80
    assert len(notes) <= 7
    assert notes[-1].endswith("more")


def test_every_line_fits_whatever_the_names_are():
    draw = np.random.default_rng(0)
    names = ["\x1b[31mred\nline", "=1+1", "名前" * 40, "a" * 200, "", "y"]
    frame = pd.DataFrame({name: draw.normal(size=20) for name in names})
    notes = load_table(frame, "y").notes
    assert max(map(len, notes)) <= 80
    assert all(note.isprintable() for note in notes)
    assert any("\\x1b[31mred\\nline" in note for note in notes)


def test_what_is_missing_in_other_parts_only_is_said():
    frame = mixed_frame()
    test_row = split_rows(len(frame), DEFAULT_SPLIT, 0).test[0]
    frame.loc[test_row, "height"] = np.nan
    notes = load_table(frame, "weight").notes
    assert any("height (1, none in training)" in note for note in notes)
