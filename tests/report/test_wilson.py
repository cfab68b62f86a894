"""Wilson's interval of a share."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortune.report.wilson import wilson_interval

CASES = st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("hits", "cases", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        # From R. G. Newcombe, Two-sided confidence intervals for the single proportion (1998).
        (81, 263, 0.2553, 0.3662),
        (0, 0, 0.0, 1.0),
    ],
)
def test_known_intervals(hits, cases, low, high):
    assert wilson_interval(hits, cases) == pytest.approx((low, high), abs=5e-5)


@given(CASES)
def test_it_lies_within_0_and_1_and_holds_the_share(pair):
    hits, cases = pair
    low, high = wilson_interval(hits, cases)
    assert 0 <= low <= hits / cases <= high <= 1
    assert low < high


@given(CASES)
def test_it_is_symmetric(pair):
    hits, cases = pair
    low, high = wilson_interval(hits, cases)
    other_low, other_high = wilson_interval(cases - hits, cases)
    assert math.isclose(low, 1 - other_high, abs_tol=1e-12)
    assert math.isclose(high, 1 - other_low, abs_tol=1e-12)


@given(CASES, st.integers(2, 50))
def test_it_shrinks_with_more_cases_of_the_same_share(pair, times):
    hits, cases = pair
    low, high = wilson_interval(hits, cases)
    closer_low, closer_high = wilson_interval(times * hits, times * cases)
    assert closer_high - closer_low < high - low
