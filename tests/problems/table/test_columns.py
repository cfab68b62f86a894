"""Which columns become inputs, which are left out and why, and the digest of what is used."""

import numpy as np
import pandas as pd
import pytest

from tests.problems.table.tables import mixed_frame, refused
from xortune.problems.table.splitting import DEFAULT_SPLIT, split_rows
from xortune.problems.table.table import load_table


def left_out(frame, **more):
    """The columns that are left out, of a frame with a good column and a target."""
    count = len(next(iter({**frame, **more}.values())))
    draw = np.random.default_rng(1)
    good, y = draw.normal(size=count), draw.normal(size=count)
    return dict(load_table(pd.DataFrame({**frame, "good": good, "y": y}), "y").recipe.left_out)


def test_dates_constant_and_empty_columns_are_left_out():
    frame = {
        "day": pd.date_range("2020-01-01", periods=30),
        "planet": ["Earth"] * 30,
        "zero": [0.0] * 30,
        "nothing": [None] * 30,
        "blank": [" ", "n/a", "?"] * 10,
        "lists": [[i] for i in range(30)],
    }
    assert left_out(frame) == {
        "day": "dates or times",
        "planet": "constant",
        "zero": "constant",
        "nothing": "empty",
        "blank": "empty",
        "lists": "values of type list",
    }


def test_a_column_that_is_constant_in_the_training_rows_is_left_out():
    frame = mixed_frame()
    parts = split_rows(len(frame), DEFAULT_SPLIT, 0)
    for part, constant in ((parts.training, False), (parts.validation, True), (parts.test, True)):
        planets = frame["planet"].where(frame.index != part[0], "Mars")
        left = dict(load_table(frame.assign(planet=planets), "weight").recipe.left_out)
        assert (left.get("planet") == "constant") == constant


@pytest.mark.parametrize(
    "name",
    ["id", "ID", "customer_id", "Row ID", "PassengerId", "uuid", "index", "idx", "RowNumber"],
)
def test_identifiers_are_known_by_their_names_and_different_values(name):
    numbers = [i * 7 % 31 + 1000 for i in range(30)]
    assert left_out({"other": [1.5, 2.5] * 15, name: numbers}) == {name: "an identifier"}
    assert left_out({"other": [1.5, 2.5] * 15, name: [1, 2, 3] * 10}) == {}


@pytest.mark.parametrize("name", ["width", "acid", "paid", "grid", "Liquid"])
def test_other_names_are_not_taken_for_identifiers(name):
    assert left_out({"other": [1.5, 2.5] * 15, name: [i * 7 % 31 for i in range(30)]}) == {}


def test_a_first_column_that_counts_the_rows_is_an_identifier():
    assert left_out({"n": range(30), "other": [1.5, 2.5] * 15}) == {"n": "an identifier"}
    assert left_out({"n": range(1, 31)}) == {"n": "an identifier"}
    assert left_out({"other": [1.5, 2.5] * 15, "n": range(30)}) == {}


def test_a_column_that_counts_the_rows_is_kept_if_it_is_the_only_one():
    frame = pd.DataFrame({"x": range(30), "y": [(i * 0.37) ** 2 for i in range(30)]})
    assert load_table(frame, "y").recipe.input_names == ("x",)


def test_inputs_of_arrays_are_never_identifiers():
    x = np.stack([np.arange(30), np.arange(30) % 7], axis=1)
    assert load_table((x, np.sqrt(np.arange(30)))).recipe.input_names == ("x0", "x1")


def test_text_that_hardly_repeats_is_left_out():
    names = [f"name {i}" for i in range(30)]
    assert left_out({"name": names}) == {"name": "texts that hardly repeat"}
    assert left_out({"name": [f"name {i % 12}" for i in range(30)]}) == {}


def test_copies_are_left_out_and_name_the_first():
    x, words = np.arange(30) % 7, ["a", "b", "c"] * 10
    frame = {"x": x, "words": words, "x again": x.astype(float), "words again": words}
    assert left_out(frame) == {"x again": "a copy of x", "words again": "a copy of words"}


def test_copies_of_the_target_are_left_out():
    frame = mixed_frame()
    frame["answer"] = frame["weight"]
    assert ("answer", "a copy of the target") in load_table(frame, "weight").recipe.left_out


def test_a_table_whose_columns_are_all_left_out_is_refused():
    frame = pd.DataFrame({"day": pd.date_range("2020", periods=9), "c": 1, "y": np.arange(9.0)})
    assert refused(frame) == (
        "data has no column to learn from, besides the target ('day': dates or times; "
        "'c': constant)."
    )


def test_all_faulty_columns_are_named_at_once():
    numbers = [str(i * i) for i in range(30)]
    frame = pd.DataFrame({"a": [*numbers, "1O"], "b": [*numbers, "12 kg"], "y": [*numbers, "3,5"]})
    message = refused(frame)
    assert message.split("\n") == [
        "data: target 'y' is not a column of numbers: '3,5' in row 31 is not a number, but 30 "
        "other cells are. Correct it, or leave it empty.",
        "data: column 'a': '1O' in row 31 is not a number, but 30 other cells are. Correct it, or "
        "leave it empty.",
        "data: column 'b': '12 kg' in row 31 is not a number, but 30 other cells are. Correct it, "
        "or leave it empty.",
    ]


def digest(frame, **settings):
    return load_table(frame, "weight", **settings).digest


def test_the_digest_is_that_of_what_is_used():
    frame = mixed_frame()
    expected = digest(frame)
    others = [
        frame.rename(columns={"height": "tall"}),
        frame.assign(height=frame["height"].where(frame.index != 7, 1.0)),
        frame.assign(height=frame["height"].where(frame.index != 7)),
        frame.assign(colour=frame["colour"].where(frame.index != 7, "pink")),
        frame.assign(weight=frame["weight"].where(frame.index != 7, 1.0)),
        frame.iloc[::-1],
        frame[[*frame.columns[1:], "height"]],
        frame.drop(columns="height"),
    ]
    digests = [digest(other) for other in others]
    assert len({expected, *digests}) == len(others) + 1


def test_the_digest_ignores_what_is_not_used():
    frame = mixed_frame()
    same = frame.assign(since=frame["since"].iloc[::-1].to_numpy(), planet="Mars")
    same.index = range(7, 67)
    assert digest(same) == digest(frame)
    assert digest(frame, split="80/10/10", split_seed=3) == digest(frame)


def test_the_digest_does_not_depend_on_types_and_zeros():
    frame = mixed_frame()
    frame.loc[3, "height"] = 0.0
    other = frame.astype({"colour": "category", "member": int, "age": "Float64", "town": object})
    other.loc[3, "height"] = -0.0
    assert digest(other) == digest(frame)


def test_the_digest_is_what_it_was():
    frame = pd.DataFrame({"a": [1.5, 2, None, 4, 5, 6], "b": list("xyxyxy"), "weight": range(6)})
    assert digest(frame) == "7ded8e27d844bdbb6ddf2c02c7b7b745"
