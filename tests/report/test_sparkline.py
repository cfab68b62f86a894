"""Curves as lines of characters."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.make import make_curve
from tests.report.specs import FOREST, PLAIN
from xortune.problems.xor.spec import SPEC
from xortune.report.sparkline import WIDTH, Scale, scale_of, shown_series, sparkline
from xortune.trial import Curve


def line(values, *, plain=False, epochs=None):
    curve = Curve(tuple(epochs or range(len(values))), {"a": tuple(values)})
    scale = scale_of([curve], "a")
    return None if scale is None else sparkline(curve, "a", scale, plain=plain)


def test_a_line_falls_from_the_highest_character_to_the_lowest():
    assert line(range(8, 0, -1)) == "█▇▆▅▄▃▂▁"
    assert line(range(8, 0, -1), plain=True) == "#*+=:-._"


def test_a_curve_that_falls_by_decades_is_drawn_on_a_logarithmic_scale():
    assert line([10.0**-n for n in range(8)]) == "█▇▆▅▄▃▂▁"
    assert line([10.0**-n - 1e-7 for n in range(8)]).endswith("▁")  # From 0 on there is no log.
    assert line([0.5, 0.25, 0.125]) == "█▃▁"


def test_epochs_are_evenly_spaced_however_the_points_lie():
    assert line([8, 1], epochs=[0, 70]) == "█▁"
    assert line([7, 6, 5, 4, 3, 2, 1, 0], epochs=[0, 1, 2, 3, 4, 5, 6, 70]) == "█▂▂▂▂▂▂▁"


def test_curves_of_several_trials_share_a_scale():
    curves = [make_curve((0, 1), (9, 9), (1.0, 1e-4)), make_curve((0, 1), (9, 9), (0.25, 0.25))]
    scale = scale_of(curves, "validation")
    assert scale == Scale(1e-4, 1.0, True)
    assert [sparkline(curve, "validation", scale) for curve in curves] == ["█▁", "▇▇"]


def test_no_curve_no_points_and_no_numbers_have_no_line():
    assert line([]) is None
    assert line([math.nan, math.inf]) is None
    scale = Scale(0.0, 1.0, False)
    assert sparkline(Curve(), "a", scale) == ""
    assert line([math.nan, 1.0, math.inf, 2.0]) == "▁██"
    assert line([3.0]) == "▁"


@given(st.lists(st.floats(), max_size=30), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_curve_has_a_line_that_orders_its_values(values, plain):
    found = line(values, plain=plain)
    known = [value for value in values if not math.isnan(value)]
    if found is None:
        assert not any(map(math.isfinite, known))
        return
    assert len(found) == min(WIDTH, len(known))
    signs = "_.-:=+*#" if plain else "▁▂▃▄▅▆▇█"
    assert set(found) <= set(signs)
    if len(known) <= WIDTH and len(known) == len(values):
        heights = [signs.index(sign) for sign in found]
        pairs = sorted(zip(known, heights))
        assert [height for _, height in pairs] == sorted(heights)


@pytest.mark.parametrize(
    ("spec", "name"), [(SPEC, "validation"), (FOREST, "validation"), (PLAIN, None)]
)
def test_the_series_that_is_shown(spec, name):
    assert shown_series(spec) == name
