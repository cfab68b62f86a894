"""Losses and scores against PyTorch's, and against their definitions."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.tables import TARGETS, make_rows
from xortune.problems.table.measures import loss_of, measured
from xortune.problems.table.rows import TASKS
from xortune.problems.table.spec import METRICS

FLOATS = st.floats(-50, 50, width=32)
ROUNDING = 1e-13  # of PyTorch's sums of numbers as large as these, where little remains
SIZES = st.integers(1, 20)
LOSSES = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}


def doubles(array) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float64))


@given(data=st.data(), rows=SIZES, name=st.sampled_from(sorted(LOSSES)))
def test_losses_of_regression_are_those_of_pytorch(data, rows, name):
    outputs = data.draw(arrays(np.float32, (rows, 1), elements=FLOATS))
    y = data.draw(arrays(np.float32, rows, elements=FLOATS))
    expected = LOSSES[name](doubles(outputs[:, 0]), doubles(y))
    assert loss_of(name, outputs, y) == pytest.approx(float(expected), rel=1e-12, abs=1e-300)


@given(data=st.data(), rows=SIZES)
def test_the_log_loss_of_two_classes_is_that_of_pytorch(data, rows):
    outputs = data.draw(arrays(np.float32, (rows, 1), elements=FLOATS))
    y = data.draw(arrays(np.float32, rows, elements=st.sampled_from((0.0, 1.0))))
    expected = F.binary_cross_entropy_with_logits(doubles(outputs[:, 0]), doubles(y))
    for name in ("log_loss", "bce_with_logits"):
        assert loss_of(name, outputs, y) == pytest.approx(float(expected), rel=1e-12, abs=ROUNDING)


@given(data=st.data(), rows=SIZES, classes=st.integers(2, 5))
def test_the_log_loss_of_several_classes_is_that_of_pytorch(data, rows, classes):
    outputs = data.draw(arrays(np.float32, (rows, classes), elements=FLOATS))
    y = data.draw(arrays(np.int64, rows, elements=st.integers(0, classes - 1)))
    expected = F.cross_entropy(doubles(outputs), torch.from_numpy(y))
    for name in ("log_loss", "cross_entropy"):
        assert loss_of(name, outputs, y) == pytest.approx(float(expected), rel=1e-12, abs=ROUNDING)


@given(data=st.data(), rows=SIZES)
def test_the_area_under_the_curve_is_the_chance_of_a_larger_output(data, rows):
    few = st.sampled_from((-1.0, 0.0, 0.5, 2.0))
    outputs = data.draw(arrays(np.float32, (rows, 1), elements=few))
    y = data.draw(arrays(np.float32, rows, elements=st.sampled_from((0.0, 1.0))))
    auc = measured(TARGETS["binary"], outputs, y)["auc"]
    pairs = [*itertools.product(outputs[y > 0.5, 0], outputs[y < 0.5, 0])]
    if not pairs:
        assert math.isnan(auc)
    else:
        larger = sum((one > other) + (one == other) / 2 for one, other in pairs)
        assert auc == pytest.approx(larger / len(pairs))


@pytest.mark.parametrize("task", TASKS)
def test_the_metrics_are_those_of_the_spec_in_their_order(task):
    rows = make_rows(task)
    outputs = np.zeros((30, TARGETS[task].outputs), np.float32)
    found = measured(TARGETS[task], outputs, rows.y)
    assert tuple(found) == tuple(metric.name for metric in METRICS[task])
    assert {type(value) for value in found.values()} == {float}


def test_scores_of_regression_are_in_the_units_of_the_target():
    outputs, y = np.array([[1.0], [3.0]], np.float32), np.array([1.0, 2.0], np.float32)
    found = measured(TARGETS["regression"], outputs, y)
    assert found == {"mse": 0.5, "mae": 0.5, "rmse": pytest.approx(0.5**0.5 * 2), "r2": -1.0}


def test_equal_targets_have_no_r2():
    y = np.ones(4, np.float32)
    assert math.isnan(measured(TARGETS["regression"], np.zeros((4, 1), np.float32), y)["r2"])


def test_scores_of_classes():
    outputs = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 1]]
    y = np.array([0, 1, 1, 1, 1])
    found = measured(TARGETS["classes"], outputs, y)
    assert found["accuracy"] == 0.8
    assert found["balanced_accuracy"] == pytest.approx((1 + 0.75) / 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("task", TASKS)
def test_outputs_beyond_all_bounds_give_no_warning(task, bad):
    rows = make_rows(task)
    outputs = np.full((30, TARGETS[task].outputs), bad, np.float32)
    loss = loss_of(METRICS[task][0].name, outputs, rows.y)
    assert math.isfinite(loss) == (bad == 3e38)
    measured(TARGETS[task], outputs, rows.y)


def test_the_loss_of_no_rows_is_nan():
    assert math.isnan(loss_of("mse", np.zeros((0, 1), np.float32), np.zeros(0, np.float32)))
