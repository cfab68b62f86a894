"""XOR as the rest of the package sees it."""

import random
import subprocess
import sys

import pytest
import torch

from tests.make import make_params, make_weights
from xortune.problems.problem import Problem
from xortune.problems.xor.model import XOR
from xortune.problems.xor.problem import XORProblem
from xortune.problems.xor.spec import LAYOUT, SPEC

WITHOUT_TORCH = """
import sys
from xortune.problems.xor.problem import XORProblem
from xortune.problems.xor.tables import TABLES
from xortune.trial import Weights

problem = XORProblem("lab")
weights = Weights((), bytes(36))
print(problem.predict(problem.spec.defaults, weights, [0.0, 1.0]), "torch" in sys.modules)
"""


@pytest.fixture
def problem() -> Problem:
    return XORProblem("lab")


def test_the_problem_has_its_spec_data_and_graph(problem):
    assert problem.spec is SPEC
    assert problem.data == "lab"
    assert [node.name for node in problem.graph(make_params())][-1] == "output/output"


def test_the_layout_is_that_of_the_state_dict():
    state = XOR(2, 1).state_dict()
    assert tuple((name, tuple(entry.shape)) for name, entry in state.items()) == LAYOUT


def test_a_model_has_the_weights_it_is_made_of(problem):
    weights = make_weights((1.0, -2.0, 3.0, -4.0, 0.5, -0.5, 6.0, -7.0, 0.25))
    model = problem.model(make_params(), weights)
    assert isinstance(model, XOR)
    assert not model.training
    flat = torch.cat([entry.flatten() for entry in model.state_dict().values()])
    assert tuple(flat.tolist()) == weights.numbers()


def test_predictions_are_those_of_the_model(problem):
    draw = random.Random(3)
    for _ in range(50):
        weights = make_weights(draw.uniform(-5, 5) for _ in range(9))
        inputs = [draw.uniform(-2, 2) for _ in range(2)]
        with torch.inference_mode():
            expected = float(problem.model(make_params(), weights)(torch.tensor(inputs)))
        predicted = problem.predict(make_params(), weights, inputs)
        assert predicted == pytest.approx(expected, rel=1e-6)


def test_predictions_import_no_pytorch():
    command = [sys.executable, "-c", WITHOUT_TORCH]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "0.5 False\n"
