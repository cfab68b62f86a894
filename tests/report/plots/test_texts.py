"""What plots are made of: thinned trials, packed numbers, ticks and texts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortune.report.plots.ranked import chosen, packed
from xortune.report.plots.scales import log_ticks, ticks_between
from xortune.report.plots.text import number, plain


@given(st.integers(1, 3000), st.integers(2, 400))
def test_thinned_trials_keep_the_best(total, most):
    places = chosen(total, most)
    assert len(places) <= max(most, 1)
    assert [*places[: min(most // 2, 100, total)]] == [*range(min(most // 2, 100, total))]
    assert places[-1] == total - 1 or most < 4
    assert len({*places}) == len(places)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=False), max_size=20))
def test_packed_numbers_keep_seven_digits(values):
    assert np.allclose(packed(values), np.array(values, float), rtol=1e-6, atol=0, equal_nan=True)


@given(st.floats(1e-12, 1e12), st.floats(1.01, 1e9))
def test_ticks_lie_between_the_ends(low, factor):
    high = low * factor
    for ticks in (log_ticks(low, high, most=5), ticks_between(low, high, is_log=False)):
        assert 1 <= len(ticks) <= 7
        assert all(low * (1 - 1e-6) <= place <= high * (1 + 1e-6) for place, _ in ticks)


@given(st.text(max_size=60))
def test_a_text_from_outside_has_no_sign_that_plotly_reads(text):
    shown = plain(text)
    assert not {*"<>$%"} & {*shown}
    assert shown.count("&") == shown.count("&#")


@given(st.floats(-1e300, 1e300))
def test_numbers_are_short_and_right_to_three_digits(value):
    text = number(value)
    assert len(text) <= 10
    assert float(text.replace(",", "")) == pytest.approx(value, rel=5e-3)
