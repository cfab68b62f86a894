"""A trained network of the lab as plain numbers, and its answers worked out."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.make import make_params, make_weights
from xortune.errors import UsageError
from xortune.problems.xor.problem import XORProblem
from xortune.problems.xor.tables import TABLES
from xortune.trial import Weights

NINE = (-7.485, -7.484, -9.21, -9.205, 11.19, 4.117, 19.39, -19.7, -9.419)
WEIGHTS = st.tuples(*[st.floats(-30, 30, width=32)] * 9)


def test_the_layers_are_those_of_the_model():
    problem, weights = XORProblem("xor"), make_weights(NINE)
    network = problem.network(make_params(), weights)
    state = problem.model(make_params(), weights).state_dict()
    for layer in network.layers:
        assert [list(row) for row in layer.weights] == state[f"{layer.name}.weight"].tolist()
        assert list(layer.biases) == state[f"{layer.name}.bias"].tolist()
        assert layer.activation == "sigmoid"
    assert (network.inputs, network.outputs) == (("x0", "x1"), ("output",))
    assert network.sizes == (2, 2, 1)


@pytest.mark.parametrize("data", ["xor", "lab"])
def test_the_surface_has_the_predictions_and_the_rows_of_the_data(data):
    problem, weights = XORProblem(data), make_weights(NINE)
    surface = problem.surface(make_params(), weights)
    for i, j in ((0, 0), (16, 80), (96, 3), (48, 48)):
        inputs = [surface.xs[i], surface.ys[j]]
        assert surface.answers[j][i] == problem.predict(make_params(), weights, inputs)
    rows = [*zip(TABLES[data][0].inputs, TABLES[data][0].targets)]
    assert [((x, y), target) for x, y, target in surface.points] == rows
    assert {0.0, 0.5, 1.0} < {*surface.xs}
    assert surface.boundary == 0.5


@given(WEIGHTS, st.tuples(*[st.floats(-9, 9, width=32)] * 2))
def test_the_last_number_of_an_explanation_is_the_prediction(numbers, inputs):
    problem, weights = XORProblem("xor"), make_weights(numbers)
    text = problem.explain(make_params(), weights, inputs)
    answer = problem.predict(make_params(), weights, inputs)
    assert text.split()[-1] == f"{answer:.6g}"
    assert max(map(len, text.splitlines())) <= 80


def test_an_explanation_is_the_exercise_of_the_lab():
    text = XORProblem("xor").explain(make_params(), make_weights(NINE), [0, 1])
    assert text.startswith(
        "x0 = 0\n"
        "x1 = 1\n"
        "\n"
        "Layer fc1: w is fc1.weight, b is fc1.bias\n"
        "\n"
        "h0 = sigmoid(w00 * x0 + w01 * x1 + b0)\n"
        "   = sigmoid(-7.485 * 0 + -7.484 * 1 + 11.19)\n"
        "   = sigmoid(3.706)\n"
        "   = 0.976014\n"
    )
    assert text.endswith(
        "output = sigmoid(w00 * h0 + w01 * h1 + b0)\n"
        "       = sigmoid(19.39 * 0.976014 + -19.7 * 0.00613251 + -9.419)\n"
        "       = sigmoid(9.3851)\n"
        "       = 0.999916\n"
    )


@given(WEIGHTS, st.tuples(st.booleans(), st.booleans()))
def test_every_step_of_an_explanation_adds_up(numbers, inputs):
    text = XORProblem("xor").explain(make_params(), make_weights(numbers), [*map(int, inputs)])
    sums = re.findall(r"sigmoid\((\S+) \* (\S+) \+ (\S+) \* (\S+) \+ (\S+)\)\n *= sigmoid\((\S+)\)",
                      re.sub(r"\n {7,}(?! *=)(?=[-+\d])", " ", text))  # fmt: skip
    numeric = [[*map(float, found)] for found in sums if not found[0].startswith("w")]
    assert len(numeric) == 3
    for a, x, b, y, bias, total in numeric:
        size = abs(a * x) + abs(b * y) + abs(bias)
        assert a * x + b * y + bias == pytest.approx(total, abs=1e-4 * max(size, 1))


@pytest.mark.parametrize("count", [0, 8, 10])
def test_the_weights_of_another_model_are_refused(count):
    problem, weights = XORProblem("xor"), Weights((), bytes(4 * count))
    for ask in (problem.network, problem.surface, problem.model, problem.portable):
        with pytest.raises(UsageError, match="not those of the lab's network"):
            ask(make_params(), weights)
    for ask in (problem.predict, problem.explain):
        with pytest.raises(UsageError, match="not those of the lab's network"):
            ask(make_params(), weights, [0, 1])


def test_weights_that_are_not_finite_have_pictures_and_an_explanation():
    problem, weights = XORProblem("xor"), make_weights((math.inf, math.nan, *NINE[2:]))
    assert problem.surface(make_params(), weights).answers
    assert problem.explain(make_params(), weights, [0, 1]).endswith("= nan\n")
