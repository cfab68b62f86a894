"""Ranges to group by: few, with round ends, and every number in one of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xortune.report.bins import MOST, bins_of

NUMBERS = st.floats(-1e300, 1e300) | st.floats(-10, 10) | st.integers(-(2**60), 2**60)
POSITIVE = st.floats(1e-300, 1e300) | st.floats(0.001, 10) | st.integers(1, 2**60)


@given(
    st.booleans().flatmap(lambda log: st.tuples(st.just(log), *[POSITIVE if log else NUMBERS] * 3))
)
@settings(max_examples=200, deadline=None)
def test_every_number_lies_in_one_of_a_few_ranges_that_ascend(drawn):
    log, *numbers = drawn
    low, value, high = sorted(numbers)
    if low == high:
        return
    whole = all(isinstance(number, int) for number in numbers)
    bins = bins_of(low, high, log=log, whole=whole)
    assert (bins.ends[0], bins.ends[-1]) == (low, high)
    assert all(a < b for a, b in zip(bins.ends, bins.ends[1:]))
    assert 1 <= len(bins.ends) - 1 <= MOST
    place = bins.place(value)
    assert bins.ends[place] <= value
    assert value < bins.ends[place + 1] or (place, value) == (len(bins.ends) - 2, high)


@pytest.mark.parametrize(
    ("low", "high", "log", "whole", "labels"),
    [
        (0.01, 3.0, True, False, "0.01 to 0.02, 0.02 to 0.05, 0.05 to 0.1, 0.1 to 0.2, "
         "0.2 to 0.5, 0.5 to 1, 1 to 2, 2 to 3"),
        (0.01, 9.0, True, False, "0.01 to 0.03, 0.03 to 0.1, 0.1 to 0.3, 0.3 to 1, 1 to 3, 3 to 9"),
        (500, 10_000, True, True, "500 to 999, 1000 to 1999, 2000 to 4999, 5000 to 10000"),
        (0.0, 1.0, False, False, "0 to 0.2, 0.2 to 0.4, 0.4 to 0.6, 0.6 to 0.8, 0.8 to 1"),
        (0, 9999, False, True, "0 to 1999, 2000 to 3999, 4000 to 5999, 6000 to 7999, 8000 to 9999"),
        (1e-9, 1.0, True, False, "1e-09 to 1e-08, 1e-08 to 1e-06, 1e-06 to 0.0001, 0.0001 to 0.01, "
         "0.01 to 1"),
        (8, 20, True, True, "8 to 9, 10 to 11, 12 to 13, 14 to 15, 16 to 17, 18 to 20"),
    ],
)  # fmt: skip
def test_ends_are_round(low, high, log, whole, labels):
    bins = bins_of(low, high, log=log, whole=whole)
    assert ", ".join(map(bins.label, range(len(bins.ends) - 1))) == labels


@given(st.integers(1, 500), st.integers(9, 5000), st.booleans())
@settings(max_examples=100, deadline=None)
def test_the_ranges_of_whole_numbers_name_each_of_them_once(low, span, log):
    bins = bins_of(low, low + span, log=log, whole=True)
    named = []
    for place in range(len(bins.ends) - 1):
        first, _, last = bins.label(place).partition(" to ")
        named += range(int(first), int(last or first) + 1)
        assert {bins.place(int(first)), bins.place(int(last or first))} == {place}
    assert named == [*range(low, low + span + 1)]
