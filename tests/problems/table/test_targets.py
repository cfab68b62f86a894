"""The target: its task, its classes, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from tests.problems.table.tables import refused
from xortune.errors import UsageError
from xortune.problems.table.asked import find_target
from xortune.problems.table.rows import Target
from xortune.problems.table.table import load_table
from xortune.wording import for_the_shell


def frame_of(values):
    x = np.random.default_rng(2).normal(size=len(values))
    return pd.DataFrame({"x": x, "y": values})


def loaded(values, **settings):
    return load_table(frame_of(values), "y", **settings)


def note(table):
    """The note on the target, in one line."""
    text = "\n".join(table.notes[1:])
    return text.split("\nrows: ")[0].replace("\n  ", " ")


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        ([0, 1] * 10, "binary", ("0", "1")),
        ([1.0, -1.0] * 10, "binary", ("-1", "1")),
        (["yes", "no"] * 10, "binary", ("no", "yes")),
        ([True, False] * 10, "binary", ("False", "True")),
        (["10", "9"] * 10, "binary", ("9", "10")),
        (["b", "a", "c"] * 7, "classes", ("a", "b", "c")),
        ([2, 0, 1] * 7, "classes", ("0", "1", "2")),
        ([3, 8, 5, 6] * 7, "regression", ()),
        ([1, 2, 3] * 7, "regression", ()),
        ([0.5, 1.5, 2.5] * 7, "regression", ()),
        ([0, 1, 2, 3, 4], "regression", ()),
        (pd.Categorical([30, 10, 20] * 7), "classes", ("10", "20", "30")),
    ],
)
def test_the_task_is_inferred(values, task, classes):
    table = loaded(values)
    assert (table.recipe.target.task, table.recipe.target.classes) == (task, classes)


def test_targets_of_two_classes_are_0_and_1_and_float32():
    table = loaded(["yes", "no"] * 10)
    assert table.training.y.dtype == np.float32
    assert sorted({*table.training.y.tolist()}) == [0, 1]


def test_targets_of_classes_are_their_numbers():
    table = loaded([30, 10, 20] * 10, task="classes")
    assert table.recipe.target == Target("classes", ("10", "20", "30"))
    assert table.training.y.dtype == np.int64
    assert np.bincount(table.training.y).tolist() == [6, 6, 6]


def test_targets_of_a_regression_are_standardised_by_the_training_rows():
    values = np.random.default_rng(3).normal(50, 9, 100)
    table = loaded(values)
    target = table.recipe.target
    assert table.training.y.dtype == np.float32
    assert table.training.y.mean() == pytest.approx(0, abs=1e-6)
    assert table.training.y.std() == pytest.approx(1, rel=1e-6)
    parts = (table.training, table.validation, table.test)
    back = np.concatenate([rows.y.astype(float) * target.scale + target.mean for rows in parts])
    assert sorted(back) == pytest.approx(sorted(values), rel=1e-6)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_targets_of_any_size_are_standardised(size):
    table = loaded([1 * size, 2 * size, 3 * size, 4 * size, 5.5 * size] * 4)
    assert 1 < np.abs(table.training.y).max() < 3


def test_the_task_can_be_given():
    quality = [3, 8, 5, 6] * 7
    assert loaded(quality, task="classes").recipe.target.classes == ("3", "5", "6", "8")
    assert loaded([0, 1] * 10, task="classes").recipe.target.task == "classes"
    assert loaded([0, 1] * 10, task="regression").recipe.target.task == "regression"


def test_what_the_target_was_taken_for_is_said():
    quality = [3, 8, 5, 6] * 7
    assert note(loaded(quality)) == (
        "target y: 4 whole numbers from 3 to 8, taken as regression (task='classes' to change)"
    )
    with for_the_shell():
        assert note(loaded(quality)).endswith("taken as regression (--task classes to change)")
    assert note(loaded(quality, task="regression")).endswith("taken as regression")
    assert note(loaded([2, 0, 1] * 7)) == (
        "target y: 3 values, 0, 1, 2, taken as classes (task='regression' to change)"
    )
    assert note(loaded(["yes", "no"] * 10)) == (
        "target y: 2 values, no, yes, taken as binary, 1 for yes"
    )
    assert note(loaded(np.linspace(0.25, 7, 40))) == (
        "target y: 40 numbers from 0.25 to 7, taken as regression"
    )


def test_classes_with_few_rows_are_said():
    table = loaded([*"aaaaaaaabbbbbbbb", "c", "d", "d"])
    assert "classes with too few rows for every part: c (1), d (2)" in table.notes
    assert {*table.training.y.tolist()} == {0, 1, 2, 3}


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
def test_targets_that_are_not_finite_are_refused(missing):
    values = [*np.linspace(0, 7, 20), missing, missing]
    assert "target 'y' has no finite value in 2 of 22 rows" in refused(frame_of(values))
    assert "first in row 21. Leave these rows out, or fill them in." in refused(frame_of(values))


def test_missing_classes_are_refused_with_the_words_that_stand_for_them():
    message = refused(frame_of(["a", "?", "b", None] * 5))
    assert "has no finite value in 10 of 20 rows (it has '?'), first in row 2." in message


@pytest.mark.parametrize("values", [["x"] * 20, [1.5] * 20, [True] * 20])
def test_one_value_only_is_refused(values):
    assert "has only one value, " in refused(frame_of(values))


def test_one_value_in_the_training_rows_only_is_refused():
    assert "is the same in all training rows" in refused(
        frame_of([1.5] * 10_000 + [2.5]), task="regression", split="1/98/1"
    )


def test_more_classes_than_rows_allow_are_refused():
    message = refused(frame_of([f"n{i}" for i in range(20)]))
    assert "has 20 different values in 20 rows, n0, n1, n10," in message
    assert "a class needs 3 rows, one in each part" in message


def test_text_is_refused_as_regression():
    values = ["low", "high"] * 10
    message = refused(frame_of(values), task="regression")
    assert message == "data: target 'y' is text, high, low, not numbers. Use task='classes'."


def test_three_values_are_refused_as_binary():
    message = refused(frame_of(["a", "b", "c"] * 7), task="binary")
    assert "has 3 different values, a, b, c, but task='binary' takes two." in message


def test_dates_are_refused():
    message = refused(frame_of(pd.date_range("2020", periods=20)))
    assert message == "data: target 'y' holds dates or times. A target must be numbers or text."


def test_a_target_that_is_not_a_column_names_the_one_that_was_meant():
    with pytest.raises(UsageError) as raised:
        find_target(["alcohol", "Quality"], "qualty", "wine.csv")
    assert str(raised.value) == (
        "target 'qualty': wine.csv has no such column. Did you mean 'Quality'? Its columns are "
        "alcohol, Quality."
    )


def test_a_missing_target_names_the_columns():
    with pytest.raises(UsageError, match=r"Its columns are alcohol, quality\."):
        find_target(["alcohol", "quality"], None, "wine.csv")


def test_all_faulty_settings_are_named_at_once():
    message = refused(frame_of([0, 1] * 10), task="rank", split="50/50", split_seed=-1)
    assert [line.split(":")[0] for line in message.split("\n")] == [
        "task 'rank'",
        "split '50/50'",
        "split_seed -1",
    ]


def test_arrays_bring_their_own_target():
    x, y = np.arange(40.0).reshape(20, 2) ** 2, np.arange(20.0) ** 3
    message = "target 'x0': arrays bring their own target, y. Leave target out."
    assert refused((x, y), "x0") == refused({"X": x, "y": y}, "x0") == message
    series = pd.Series(y, name="weight")
    named = refused((pd.DataFrame(x, columns=["a", "b"]), series), "a")
    assert named == "target 'a': arrays bring their own target, weight. Leave target out."
    assert load_table((x, y), "y").digest == load_table((x, y)).digest


def test_one_array_alone_has_no_target(tmp_path):
    x = np.arange(40.0).reshape(20, 2)
    for target in (None, "y", "x0"):
        assert refused(x, target) == "data has X, but no y to learn: a pair (X, y) is needed."
    np.savez(tmp_path / "one.npz", X=x)
    assert refused(tmp_path / "one.npz", None).startswith("one.npz has X, but no y to learn")
