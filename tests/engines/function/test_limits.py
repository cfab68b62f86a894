"""Limits: what ends a trial early, and the points of its curve that the search compares."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import xortune
from xortune.engines.function.limits import Limits
from xortune.engines.function.reports import Reports
from xortune.spec import Objective
from xortune.trial import value_at

ANY = {"minimize": math.inf, "maximize": -math.inf}
WAYS = st.sampled_from(tuple(ANY))
EPOCHS = st.sets(st.integers(0, 400), max_size=300).map(sorted)
RUNGS = st.sets(st.integers(1, 400), max_size=6).map(sorted)


def reports_with(limits, way="minimize", log_every=None):
    return Reports(("loss", "gap"), log_every, Limits(Objective("loss", way), limits))


@pytest.mark.parametrize(
    ("way", "limit", "value", "goes_on"),
    [
        ("minimize", 0.5, 0.5, True),
        ("minimize", 0.5, math.nextafter(0.5, 1), False),
        ("maximize", 0.5, 0.5, True),
        ("maximize", 0.5, math.nextafter(0.5, 0), False),
        ("minimize", math.inf, math.inf, True),
        ("maximize", -math.inf, -math.inf, True),
        ("minimize", 0.5, math.nan, False),
        ("minimize", math.inf, math.nan, False),
        ("maximize", -math.inf, math.nan, False),
    ],
)
def test_only_what_is_strictly_worse_than_the_limit_or_no_number_ends_a_trial(
    way, limit, value, goes_on
):
    reports = reports_with([(5, limit)], way)
    reports(4, loss=math.nan)
    if goes_on:
        reports(7, loss=value)
        reports(8, loss=math.nan)
        assert reports.pruned is None
        return
    with pytest.raises(xortune.Pruned, match=f"loss is .* at epoch 7, .* from {limit:g}"):
        reports(7, loss=value)


def test_every_later_report_ends_it_again_and_adds_nothing():
    reports = reports_with([(1, 0.5)])
    reports(0, loss=9.0)
    for epoch in (1, 1, 2, 0, "odd"):
        with pytest.raises(xortune.Pruned, match="at epoch 1"):
            reports(epoch, loss=0.7, gap=2.0)
    assert reports.curve().epochs == (0, 1)
    assert reports.last == {"loss": 0.7, "gap": 2.0}


def test_a_limit_counts_once():
    reports = reports_with([(1, 0.5), (9, 0.5)])
    reports(1, loss=0.5)
    reports(1, loss=0.9)
    reports(8, loss=0.9)
    with pytest.raises(xortune.Pruned):
        reports(9, loss=0.9)


def test_one_report_can_pass_several_limits_and_has_to_reach_each():
    reports_with([(1, 0.9), (2, 0.8)])(5, loss=0.8)
    with pytest.raises(xortune.Pruned):
        reports_with([(1, 0.9), (2, 0.7)])(5, loss=0.8)
    with pytest.raises(xortune.Pruned):
        reports_with([(1, 0.7), (2, 0.9)])(5, loss=0.8)


def test_an_epoch_without_the_objective_is_passed_over():
    reports = reports_with([(2, 0.5)])
    for epoch in range(5):
        reports(epoch, gap=1.0)
    with pytest.raises(xortune.Pruned, match="at epoch 5"):
        reports(5, loss=0.9)
    assert reports.curve().epochs[-1] == 5


def test_the_objective_may_come_in_a_later_report_of_the_epoch():
    reports = reports_with([(2, 0.5)])
    reports(2, gap=1.0)
    with pytest.raises(xortune.Pruned, match="at epoch 2"):
        reports(2, loss=0.9)
    assert reports.last == {"gap": 1.0, "loss": 0.9}


@given(EPOCHS, RUNGS, st.sampled_from((None, 1, 7, 10**9)), st.integers(1, 5), WAYS)
def test_a_curve_tells_the_objective_at_every_limit(epochs, rungs, log_every, every, way):
    """Whatever thins it, and however rarely the objective is reported."""
    reports = reports_with([(rung, ANY[way]) for rung in rungs], way, log_every)
    measured = [epoch for place, epoch in enumerate(epochs) if place % every == 0]
    for epoch in epochs:
        reports(epoch, gap=1.0, **({"loss": float(epoch)} if epoch in measured else {}))
    curve = reports.curve()
    assert list(curve.epochs) == sorted({*curve.epochs})
    for rung in rungs:
        expected = next((float(epoch) for epoch in measured if epoch >= rung), None)
        assert value_at(curve, "loss", rung) == expected


@given(EPOCHS, RUNGS, st.sampled_from((None, 1, 7)), st.data())
def test_a_trial_ends_at_the_first_limit_that_it_misses(epochs, rungs, log_every, data):
    drawn = st.floats(0, 1)
    limits = [(rung, data.draw(drawn)) for rung in rungs]
    losses = {epoch: data.draw(drawn) for epoch in epochs}
    reports, ended = reports_with(limits, log_every=log_every), None
    for epoch in epochs:
        try:
            reports(epoch, loss=losses[epoch])
        except xortune.Pruned:
            ended = epoch
            break
    missed = []
    for rung, limit in limits:
        at = next((epoch for epoch in epochs if epoch >= rung), None)
        if at is not None and losses[at] > limit:
            missed.append(at)
    assert ended == min(missed, default=None)
    if ended is not None:
        assert reports.curve().epochs[-1] == ended


@given(EPOCHS, st.sampled_from((None, 1, 7)))
def test_a_curve_without_limits_has_the_points_that_it_always_had(epochs, log_every):
    plain = Reports(("loss", "gap"), log_every)
    limited = reports_with([(401, 0.0)], log_every=log_every)
    for epoch in epochs:
        plain(epoch, loss=1.0, gap=float(epoch))
        limited(epoch, loss=1.0, gap=float(epoch))
    assert plain.curve() == limited.curve()
