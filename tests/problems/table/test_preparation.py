"""Preparation: fitted on training rows only, and the same for new rows to the bit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.problems.table.tables import mixed_frame
from xortune.errors import UsageError
from xortune.problems.table.preparation import NumberColumn, WordsColumn, centre_and_scale
from xortune.problems.table.recipe import Recipe
from xortune.problems.table.rows import Target
from xortune.problems.table.splitting import split_rows
from xortune.problems.table.table import load_table


def recipe_of(*columns):
    return Recipe("y", Target("regression"), columns, (), (60.0, 20.0, 20.0), 0, (6, 2, 2))


def prepared(column, *values):
    """The inputs, as lists, and the notes."""
    x, notes = recipe_of(column).prepare(pd.DataFrame({column.name: list(values)}))
    assert x.dtype == np.float32
    return x.tolist(), notes


def test_the_rows_of_a_table_are_prepared_as_new_rows_are():
    frame = mixed_frame()
    table = load_table(frame, "weight")
    x, notes = table.recipe.prepare(frame)
    parts = split_rows(len(frame), table.recipe.split, table.recipe.split_seed)
    for rows, part in zip((table.training, table.validation, table.test), parts):
        assert rows.x.tobytes() == x[part].tobytes()
        again, _ = table.recipe.prepare(frame.iloc[part])
        assert rows.x.tobytes() == again.tobytes()
    assert [note for note in notes if "town" not in note] == []


def test_nothing_but_the_training_rows_decides():
    frame = mixed_frame()
    recipe = load_table(frame, "weight").recipe
    parts = split_rows(len(frame), recipe.split, recipe.split_seed)
    other = [*parts.validation, *parts.test]
    frame.loc[other, ["height", "weight"]] *= 7
    frame.loc[other, "colour"] = "pink"
    frame.loc[other, "age"] = np.nan
    assert load_table(frame, "weight").recipe == recipe


def test_numbers_are_standardised():
    table = load_table(mixed_frame(), "weight")
    height = table.training.x[:, table.recipe.input_names.index("height")]
    assert height.mean() == pytest.approx(0, abs=1e-6)
    assert height.std() == pytest.approx(1, rel=1e-6)


def test_missing_numbers_become_the_median_and_an_indicator():
    column = NumberColumn("age", median=40.0, mean=30.0, scale=10.0, indicator=True)
    assert column.input_names == ("age", "age (missing)")
    x, notes = prepared(column, 20.0, np.nan, "n/a", 40)
    assert x == [[-1, 0], [1, 1], [1, 1], [1, 0]]
    assert notes == ["column age: 'n/a' taken as missing (1 row)"]


def test_the_median_is_that_of_the_training_rows():
    frame = mixed_frame()
    column = next(c for c in load_table(frame, "weight").recipe.columns if c.name == "age")
    training = split_rows(len(frame), (60.0, 20.0, 20.0), 0).training
    assert column.median == np.nanmedian(frame["age"][training])
    assert column.indicator


def test_missing_numbers_without_an_indicator_are_said():
    column = NumberColumn("age", median=30.0, mean=30.0, scale=10.0, indicator=False)
    x, notes = prepared(column, 20.0, None)
    assert x == [[-1], [0]]
    assert notes == ["column age: 1 row missing, the training rows' median, 30, is taken"]


def test_text_becomes_an_input_for_each_word():
    column = WordsColumn("colour", ("blue", "red"), other=True, indicator=True)
    assert column.input_names == (
        "colour=blue",
        "colour=red",
        "colour (other)",
        "colour (missing)",
    )
    x, notes = prepared(column, "red", "pink", None, "blue", "tan", "pink")
    assert np.argmax(x, axis=1).tolist() == [1, 2, 3, 0, 2, 2]
    assert np.sum(x, axis=1).tolist() == [1] * 6
    assert notes == ["column colour: 'pink', 'tan' not among its words (3 rows), taken as other"]


def test_unknown_text_is_none_of_the_words_and_said():
    column = WordsColumn("colour", ("blue", "red"), other=False, indicator=False)
    x, notes = prepared(column, "red", "pink", None)
    assert x == [[0, 1], [0, 0], [0, 0]]
    assert notes == [
        "column colour: 'pink' not among its words (1 row), taken as none of the known",
        "column colour: 1 row missing, taken as none of the known words",
    ]


def test_thirty_words_are_kept_and_rarer_ones_are_other():
    words = [f"w{i:02}" for i in range(40) for _ in range(i + 10)]
    frame = pd.DataFrame({"word": words, "y": np.arange(len(words)) * 0.5})
    column = load_table(frame, "y").recipe.columns[0]
    training = split_rows(len(words), (60.0, 20.0, 20.0), 0).training
    counts = frame["word"][training].value_counts()
    assert len(column.words) == 30
    assert column.other
    assert counts[list(column.words)].min() >= counts.drop(list(column.words)).max()


def test_missing_columns_are_said_and_others_are_ignored():
    recipe = load_table(mixed_frame(), "weight").recipe
    frame = mixed_frame().assign(extra=1).drop(columns=["age", "colour", "height", "weight"])
    x, notes = recipe.prepare(frame)
    names = recipe.input_names
    assert x[:, names.index("age (missing)")].tolist() == [1] * 60
    assert not x[:, [i for i, name in enumerate(names) if name.startswith("colour=")]].any()
    assert [note.split(":")[0] for note in notes if "missing:" in note] == [
        "column height is missing",
        "column age is missing",
        "column colour is missing",
    ]
    assert "the training rows' median" in notes[0]


def test_a_name_like_that_of_a_missing_column_is_pointed_at():
    recipe = load_table(mixed_frame().assign(Rooms=range(60)), "weight").recipe
    frame = mixed_frame().assign(rooms=1)
    _, notes = recipe.prepare(frame)
    assert notes[-1].startswith("column Rooms is missing: the training rows' median")
    assert notes[-1].endswith(" Did you mean 'rooms'?")
    _, notes = recipe.prepare(frame.rename(columns={"rooms": "price"}))
    assert "mean" not in notes[-1]


def test_a_column_that_was_left_out_is_not_pointed_at():
    both = mixed_frame().assign(Rooms=range(60), rooms=7)
    recipe = load_table(both, "weight").recipe
    assert dict(recipe.left_out)["rooms"] == "constant"
    _, notes = recipe.prepare(both.drop(columns="Rooms"))
    assert "mean" not in notes[-1]


def test_data_without_any_of_the_columns_is_refused():
    recipe = load_table(mixed_frame(), "weight").recipe
    with pytest.raises(UsageError, match=r"it has none of the columns 'height', 'age', 'colour'"):
        recipe.prepare(pd.DataFrame({"x0": [1.0]}))


def test_new_columns_that_stand_twice_are_refused():
    recipe = load_table(mixed_frame(), "weight").recipe
    frame = pd.DataFrame([[1, 2]], columns=["age", "age"])
    with pytest.raises(UsageError, match="more than one column is called 'age'"):
        recipe.prepare(frame)


def test_no_rows_are_prepared_to_no_rows():
    recipe = load_table(mixed_frame(), "weight").recipe
    x, notes = recipe.prepare(mixed_frame().iloc[:0])
    assert (x.shape, notes) == ((0, recipe.inputs), [])


def test_numbers_beyond_float32_stay_finite():
    column = NumberColumn("age", 0.0, 0.0, scale=1e-300, indicator=False)
    x, _ = prepared(column, 1e300, -1e300, 0.0)
    assert np.isfinite(x).all()


@given(arrays.arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e308, 1e308)))
def test_the_mean_and_the_scale_are_finite_for_any_numbers(values):
    mean, scale = centre_and_scale(values)
    low, high = values.min(), values.max()
    assert np.isfinite([mean, scale]).all()
    assert low - abs(low) * 1e-9 <= mean <= high + abs(high) * 1e-9 or scale < 1e-290
    assert scale > 0 or high / 2 - low / 2 <= 1e-13 * max(abs(high), abs(low), 1e-290)


@given(arrays.arrays(np.float64, st.integers(2, 30), elements=st.floats(-1e9, 1e9)))
def test_the_mean_and_the_scale_are_numpys(values):
    mean, scale = centre_and_scale(values)
    assert mean == pytest.approx(values.mean(), rel=1e-12, abs=1e-290)
    assert scale == pytest.approx(values.std(), rel=1e-9, abs=1e-6)
