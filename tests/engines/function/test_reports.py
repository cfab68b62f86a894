"""The points of a curve."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortune.engines.function.reports import Reports

EPOCHS = st.sets(st.integers(0, 2000), max_size=700).map(sorted)


def curve_of(epochs, log_every=None):
    reports = Reports(("loss",), log_every)
    for epoch in epochs:
        reports(epoch, loss=epoch / 2)
    return reports.curve()


@given(EPOCHS)
def test_a_curve_has_up_to_fifty_points_and_its_last(epochs):
    curve = curve_of(epochs)
    assert set(curve.epochs) <= set(epochs)
    assert list(curve.epochs) == sorted(set(curve.epochs))
    assert curve.epochs[-1:] == tuple(epochs[-1:])
    assert len(curve.epochs) <= 51
    assert len(curve.epochs) >= min(len(epochs), 25)
    assert curve.series["loss"] == tuple(epoch / 2 for epoch in curve.epochs)


@given(EPOCHS, st.integers(1, 99))
def test_a_setting_decides_instead(epochs, log_every):
    wanted = [epoch for epoch in epochs if epoch % log_every == 0 or epoch == epochs[-1]]
    assert list(curve_of(epochs, log_every).epochs) == wanted


def test_a_longer_trial_begins_with_evenly_spaced_points():
    assert curve_of(range(1000)).epochs == (*range(0, 1000, 32), 999)
    assert curve_of(range(50)).epochs == tuple(range(50))


def test_reports_of_one_epoch_are_one_point():
    reports = Reports(("loss", "gap"), None)
    reports(epoch=0, loss=1.0)
    reports(0, gap=2.0)
    reports(4, gap=3.0)
    curve = reports.curve()
    assert curve.epochs == (0, 4)
    assert curve.series["gap"] == (2.0, 3.0)
    assert curve.series["loss"][0] == 1.0
    assert math.isnan(curve.series["loss"][1])


def test_a_function_that_never_reports_has_a_curve_without_points():
    curve = Reports(("loss", "gap"), None).curve()
    assert curve.epochs == ()
    assert curve.series == {"loss": (), "gap": ()}


def test_unknown_names_are_kept_apart():
    reports = Reports(("loss",), None)
    reports(0, loss=1.0, other=2.0)
    assert reports.last == {"loss": 1.0}
    assert reports.unknown == {"other"}


@pytest.mark.parametrize("epoch", [True, "1", None, 2**63])
def test_an_epoch_is_a_whole_number(epoch):
    with pytest.raises(ValueError, match="is not a whole number from 0"):
        Reports(("loss",), None)(epoch, loss=1.0)
