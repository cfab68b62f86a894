import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xortune.problems.xor.model import XOR, predict, seeded_model, trained_model, weights_of

SHAPES = {"fc1.weight": (2, 2), "fc1.bias": (2,), "fc2.weight": (1, 2), "fc2.bias": (1,)}
WEIGHTS = (1.0, -2.0, 3.0, -4.0, 0.5, -0.5, 6.0, -7.0, 0.25)


def test_the_state_dict_has_the_lab_s_names_and_shapes_in_order():
    state = XOR(2, 1).state_dict()
    assert list(state) == list(SHAPES)
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == SHAPES
    assert sum(tensor.numel() for tensor in state.values()) == 9


@pytest.mark.parametrize(("inputs", "outputs"), [(2, 1), (3, 4)])
def test_the_dimensions_are_arguments(inputs, outputs):
    assert XOR(inputs, outputs)(torch.zeros(5, inputs)).shape == (5, outputs)


@pytest.mark.parametrize("seed", [0, 42, 2**31, 2**32 - 1])
def test_a_seeded_model_is_what_manual_seed_gives(seed):
    model = seeded_model(seed).state_dict()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        expected = XOR(2, 1).state_dict()
    assert all(torch.equal(model[name], expected[name]) for name in SHAPES)


@pytest.mark.parametrize("make", [lambda: seeded_model(7), lambda: trained_model(WEIGHTS)])
def test_making_a_model_leaves_the_global_generator_alone(make):
    before = torch.get_rng_state()
    make()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_weights_go_in_and_out_in_the_order_of_the_state_dict():
    model = trained_model(WEIGHTS)
    flat = torch.cat([tensor.flatten() for tensor in model.state_dict().values()])
    assert flat.tolist() == list(WEIGHTS)
    assert weights_of(model) == WEIGHTS


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=9, max_size=9))
@settings(max_examples=50)
def test_weights_of_undoes_trained_model(weights):
    assert weights_of(trained_model(weights)) == tuple(weights)


def test_the_forward_pass_worked_out_by_hand():
    """With input [0, 0] only the biases reach the hidden units."""
    hidden = [1 / (1 + math.exp(-0.5)), 1 / (1 + math.exp(0.5))]
    logit = 6 * hidden[0] - 7 * hidden[1] + 0.25
    model = trained_model(WEIGHTS)
    assert model.logits(torch.zeros(2)).item() == pytest.approx(logit, rel=1e-6)
    assert predict(model, [0, 0]) == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-6)


def test_the_output_is_the_sigmoid_of_the_logits():
    model, x = seeded_model(3), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert torch.equal(model(x), torch.sigmoid(model.logits(x)))
