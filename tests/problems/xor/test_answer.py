"""The network without PyTorch, against the module."""

import math
import random

import pytest

from xortune.problems.xor.answer import answer
from xortune.problems.xor.model import predict, trained_model

INPUTS = {
    "bits": lambda draw: float(draw.randint(0, 1)),
    "between": lambda draw: draw.uniform(-2, 2),
    "far": lambda draw: draw.uniform(-1, 1) * 10 ** draw.randint(0, 30),
}


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("scale", [1.0, 5.0, 30.0, 1e10])
def test_the_answer_has_the_digits_of_the_module(inputs, scale):
    draw = random.Random(scale)
    for _ in range(200):
        weights = [draw.uniform(-scale, scale) for _ in range(9)]
        row = [INPUTS[inputs](draw) for _ in range(2)]
        expected = predict(trained_model(weights), row)
        assert f"{answer(weights, row):.6g}" == f"{expected:.6g}", (weights, row)


@pytest.mark.parametrize("logit", [-1e4, -120.0, -89.0, -88.0, -80.0, 0.0, 80.0, 89.0, 1e4])
def test_saturated_outputs_are_those_of_the_module(logit):
    weights = [0.0] * 8 + [logit]
    assert answer(weights, [0, 1]) == predict(trained_model(weights), [0, 1])


def test_inputs_without_a_sum_give_nan():
    assert math.isnan(answer([1.0] * 9, [math.inf, -math.inf]))
