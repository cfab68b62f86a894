"""Losses that C measures, against Python's own arithmetic in double precision."""

import math
import random
from array import array

import pytest

from xortune.engines.xor.native import built_library, load_library
from xortune.problems.xor.spec import LOSS_FNS

LANES = 320
ROWS = ((0, 0), (0, 1), (1, 1), (1, 0))
TARGETS = {"xor": (0, 1, 0, 1), "lab": (0, 1, 1, 0)}
# Half a unit in the last place of a float32.
ROUNDED = 2.0**-24


@pytest.fixture(scope="module")
def functions(real):
    return load_library(built_library())


def measured(functions, weights: array, targets, loss_fn="mse") -> list[list[float]]:
    """Own loss, mean squared error, cross-entropy and accuracy of each lane."""
    lanes = len(weights) // 9
    loss = array("i", [LOSS_FNS.index(loss_fn)] * lanes)
    results = array("f", bytes(16 * lanes))
    arrays = (weights, loss, array("f", targets), results)
    functions.measure(tuple(values.buffer_info()[0] for values in arrays), lanes, lanes)
    return [list(results[i::lanes]) for i in range(lanes)]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def oracle(nine: list[float], targets) -> tuple[float, float]:
    """Mean squared error and cross-entropy."""
    v00, v10, v01, v11, c0, c1, d, u0, u1 = nine
    squares, entropies = [], []
    for (x0, x1), y in zip(ROWS, targets):
        h0, h1 = sigmoid(v00 * x0 + v01 * x1 + c0), sigmoid(v10 * x0 + v11 * x1 + c1)
        z = u0 * h0 + u1 * h1 + d
        squares.append((sigmoid(-z) if y else sigmoid(z)) ** 2)
        entropies.append(max(-z if y else z, 0.0) + math.log1p(math.exp(-abs(z))))
    return math.fsum(squares) / 4, math.fsum(entropies) / 4


def random_weights(scale: float) -> array:
    draw = random.Random(scale)
    return array("f", [draw.uniform(-scale, scale) for _ in range(9 * LANES)])


@pytest.mark.parametrize("data", TARGETS)
@pytest.mark.parametrize("scale", [0.01, 1.0, 8.0, 40.0])
def test_losses_are_rounded_once(functions, scale, data):
    weights = random_weights(scale)
    for lane, (own, mse, bce, _) in enumerate(measured(functions, weights, TARGETS[data])):
        expected = oracle(list(weights[lane::LANES]), TARGETS[data])
        assert (mse, bce) == pytest.approx(expected, rel=1.01 * ROUNDED, abs=1e-44)
        assert own == mse


def test_small_losses_keep_their_digits(functions):
    """In float32, 1 - p has none left for outputs as near to the target as these."""
    weights = array("f", [0.0] * 9 * LANES)
    for lane in range(LANES):
        weights[6 * LANES + lane] = -0.1 * lane
    for lane, (_, mse, bce, accuracy) in enumerate(measured(functions, weights, (0, 0, 0, 0))):
        expected = oracle(list(weights[lane::LANES]), (0, 0, 0, 0))
        assert (mse, bce) == pytest.approx(expected, rel=1.01 * ROUNDED, abs=1e-44)
        assert accuracy == (lane > 0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("row", range(9))
def test_a_weight_that_is_not_finite_loses_its_lane_alone(functions, row, value):
    weights = random_weights(1.0)
    before = measured(functions, weights, TARGETS["xor"])
    weights[row * LANES + 77] = value
    after = measured(functions, weights, TARGETS["xor"])
    assert all(map(math.isnan, after.pop(77)))
    del before[77]
    assert after == before


def test_only_the_lanes_that_are_asked_for_are_measured(functions):
    weights, targets = random_weights(1.0), array("f", TARGETS["xor"])
    loss, results = array("i", [0] * LANES), array("f", [7.0] * 4 * LANES)
    arrays = (weights, loss, targets, results)
    functions.measure(tuple(values.buffer_info()[0] for values in arrays), LANES, 64)
    assert [value == 7.0 for value in results] == ([False] * 64 + [True] * (LANES - 64)) * 4
