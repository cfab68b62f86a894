"""Curves."""

import math

from xortune.trial import Curve, value_at


def test_a_series_is_read_from_its_first_point_from_an_epoch_on():
    curve = Curve((0, 5, 9), {"loss": (3.0, 2.0, 1.0)})
    assert [value_at(curve, "loss", epoch) for epoch in (0, 1, 5, 6, 9, 10)] == [
        3.0, 2.0, 2.0, 1.0, 1.0, None,
    ]  # fmt: skip
    assert value_at(curve, "other", 0) is None


def test_points_without_a_value_are_passed_over():
    curve = Curve((0, 5, 9), {"loss": (math.nan, 2.0, math.nan)})
    assert value_at(curve, "loss", 0) == 2.0
    assert value_at(curve, "loss", 6) is None
