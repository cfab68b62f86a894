"""Cells as numbers or words, from whatever type a column has."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortune.problems.table.cells import Numbers, Unusable, Words, cells_as, number_name, read_cells


def numbers(*values, dtype=None):
    cells = read_cells(pd.Series(list(values), dtype=dtype))
    assert isinstance(cells, Numbers)
    return [None if value != value else value for value in cells.values.tolist()]


@pytest.mark.parametrize(
    "dtype", ["int8", "uint64", "float32", "float64", "Int64", "Float64", "object", "string", "str"]
)
def test_numbers_of_every_type(dtype):
    assert numbers(1, 2, 3, dtype=dtype) == [1, 2, 3]


def test_numbers_of_arrow_types():
    assert numbers(1, None, 3, dtype="int64[pyarrow]") == [1, None, 3]
    assert numbers("1", None, "3", dtype="string[pyarrow]") == [1, None, 3]


def test_numbers_as_text():
    assert numbers(" 1.5", "+2", "-3e-2", ".5", "5.") == [1.5, 2, -0.03, 0.5, 5]


def test_truth_values_are_0_and_1():
    assert numbers(True, False, None, dtype="boolean") == [1, 0, None]
    assert numbers(True, False, None, dtype="object") == [1, 0, None]


def test_decimals_and_mixtures_of_numbers():
    assert numbers(decimal.Decimal("1.5"), 2, 3.5, None) == [1.5, 2, 3.5, None]


def test_words_for_missing_numbers_are_counted():
    cells = read_cells(pd.Series(["1", "n/a", "?", "", "Unknown", "n/a", "-", "4"]))
    assert isinstance(cells, Numbers)
    assert np.isnan(cells.values).tolist() == [False, *[True] * 6, False]
    assert cells.as_missing == {"n/a": 2, "?": 1, "Unknown": 1, "-": 1}


def test_infinite_numbers_are_missing():
    cells = read_cells(pd.Series([1.0, np.inf, -np.inf]))
    assert (cells.values[0], cells.as_missing) == (1.0, {"inf": 2})
    assert numbers("1", "2", *["3"] * 20, "1e999")[-1] is None


def test_a_few_other_words_among_many_numbers_are_missing():
    cells = read_cells(pd.Series([*map(str, range(40)), "trace"]))
    assert isinstance(cells, Numbers)
    assert cells.as_missing == {"trace": 1}


def test_a_misspelt_number_is_refused_with_its_row():
    column = pd.Series([*map(str, range(40)), "trace", "1O", "12"])
    with pytest.raises(ValueError, match=r"'trace' in row 41 is not a number, but 41 other"):
        read_cells(column)


def test_sizes_and_grades_are_words():
    cells = read_cells(pd.Series(["38", "S", "40", "M", None, "38"]))
    assert isinstance(cells, Words)
    assert cells.words == ("38", "40", "M", "S")
    assert cells.codes.tolist() == [0, 3, 1, 2, -1, 0]


def test_words_are_trimmed_and_those_for_missing_ones_are_missing():
    cells = read_cells(pd.Series([" a", "a ", "N/A", "none", "?", "None", "", np.nan]))
    assert (cells.words, cells.as_missing) == (("a", "none"), {"N/A": 1, "?": 1, "None": 1})
    assert cells.codes.tolist() == [0, 0, -1, 1, -1, -1, -1, -1]


def test_a_category_of_numbers_is_a_column_of_words():
    cells = read_cells(pd.Series([3, 1, 3], dtype="category"))
    assert isinstance(cells, Words)
    assert cells.words == ("1", "3")


@pytest.mark.parametrize(
    "values",
    [
        pd.date_range("2020-01-01", periods=3),
        pd.timedelta_range("1 day", periods=3),
        pd.period_range("2020-01", periods=3),
        [datetime.date(2020, 1, 1), None],
        [datetime.time(1, 2), None],
        ["2020-01-31", "2020-1-1 10:00", None],
        ["31.12.2020", "1.1.21"],
        ["12/31/2020 11:59 PM", "1/2/2020 1:00 AM"],
        ["2020-01-31T10:00:00.123Z", "2020-01-31T10:00:00+01:00"],
        ["10:30", "9:05:01"],
    ],
)
def test_dates_and_times(values):
    assert read_cells(pd.Series(values)) == Unusable("dates or times")


@pytest.mark.parametrize("values", [["1.2.3", "1.2.4"], ["12.05", "x"], ["10.0.0.1", "10.0.0.2"]])
def test_what_only_looks_like_a_date_is_words(values):
    assert isinstance(read_cells(pd.Series(values)), Words)


@pytest.mark.parametrize(
    ("values", "reason"),
    [([[1], [2]], "values of type list"), ([b"a"], "values of type bytes"), ([1j], "complex")],
)
def test_values_that_are_neither(values, reason):
    cells = read_cells(pd.Series(values))
    assert isinstance(cells, Unusable)
    assert cells.reason.startswith(reason)


def test_broken_unicode_is_refused():
    with pytest.raises(ValueError, match="not valid Unicode"):
        read_cells(pd.Series(["a", "\ud800"], dtype=object))


def test_known_words_are_found_whatever_type_the_new_column_has():
    for column in (pd.Series([1, 2]), pd.Series([1.0, 2.0]), pd.Series(["1", " 2"])):
        assert cells_as("words", column).words == ("1", "2")
    assert cells_as("words", pd.Series([True])).words == ("True",)


def test_known_numbers_are_found_whatever_type_the_new_column_has():
    cells = cells_as("number", pd.Series(["1", "true", "False", "what", None]))
    assert cells.values[:3].tolist() == [1, 1, 0]
    assert np.isnan(cells.values[3:]).all()
    assert cells.as_missing == {"what": 1}


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_survive_as_text(values):
    assert numbers(*map(repr, values)) == values


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_name_of_a_number_is_the_number(value):
    assert float(number_name(value)) == value


def test_whole_numbers_are_named_without_a_point():
    assert (number_name(3.0), number_name(-1.0), number_name(0.5)) == ("3", "-1", "0.5")
