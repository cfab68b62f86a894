"""The multilayer perceptron: its initial weights, its layout, and its answers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.tables import make_trial
from xortune.errors import XortuneError
from xortune.problems.table.model import (
    activate,
    measured_outputs,
    seeded_model,
    trained_model,
    weights_of,
)
from xortune.problems.table.spec import ACTIVATIONS
from xortune.problems.table.weights import layout_of
from xortune.trial import Weights

NETWORKS = st.fixed_dictionaries(
    {
        "width": st.integers(1, 9),
        "depth": st.integers(0, 3),
        "activation": st.sampled_from(ACTIVATIONS),
        "seed": st.integers(0, 2**32 - 1),
    }
)
TORCH = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU, "sigmoid": nn.Sigmoid}


def stock_model(inputs: int, outputs: int, params) -> nn.Sequential:
    """The same network as PyTorch's users write it."""
    torch.manual_seed(params["seed"])
    layers: list[nn.Module] = []
    size = inputs
    for _ in range(params["depth"]):
        layers += [nn.Linear(size, params["width"]), TORCH[params["activation"]]()]
        size = params["width"]
    return nn.Sequential(*layers, nn.Linear(size, outputs))


@given(NETWORKS, st.integers(1, 6), st.integers(1, 4))
@settings(deadline=None)
def test_initial_weights_are_those_after_manual_seed(network, inputs, outputs):
    params = make_trial(**network)
    before = torch.get_rng_state()
    model = seeded_model(inputs, outputs, params)
    assert torch.equal(torch.get_rng_state(), before)
    with torch.random.fork_rng(devices=[]):
        stock = stock_model(inputs, outputs, params)
    for one, other in zip(model.parameters(), stock.parameters(), strict=True):
        assert torch.equal(one, other)
    x = torch.linspace(-2, 2, 5 * inputs).reshape(5, inputs)
    assert torch.equal(model(x), stock(x))


@given(NETWORKS, st.integers(1, 6), st.integers(1, 4))
@settings(deadline=None)
def test_weights_are_stored_and_read_back(network, inputs, outputs):
    params = make_trial(**network)
    model = seeded_model(inputs, outputs, params).eval()
    weights = weights_of(model)
    assert weights.layout == layout_of(inputs, outputs, params)
    again = trained_model(inputs, outputs, params, weights)
    assert weights_of(again) == weights
    assert not again.training


def test_weights_of_another_model_are_refused():
    params = make_trial()
    weights = weights_of(seeded_model(3, 1, params))
    for other in (
        Weights(weights.layout, weights.content[:-4]),
        Weights(weights.layout[:-1], weights.content),
    ):
        with pytest.raises(XortuneError, match="do not fit a model of 3 inputs, 2 hidden layers"):
            trained_model(3, 1, params, other)
    with pytest.raises(XortuneError, match="of another trial or another table"):
        trained_model(4, 1, params, weights)


@pytest.mark.parametrize("rows", [0, 1, 700, 1500])
def test_many_rows_are_measured_in_parts(rows, monkeypatch):
    monkeypatch.setattr("xortune.problems.table.model._MOST_NUMBERS", 5000)
    params = make_trial(width=7)
    model = seeded_model(3, 2, params)
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    beats: list[None] = []
    outputs = measured_outputs(
        model.pairs, activate("relu"), x, heartbeat=lambda: beats.append(None)
    )
    assert len(beats) == -(-rows // (5000 // 7))
    assert outputs == pytest.approx(model(torch.from_numpy(x)).detach().numpy(), abs=1e-6)


def test_a_model_that_is_trained_further_drops_units_again():
    params = make_trial(width=1000, depth=1, dropout=0.5)
    model = seeded_model(3, 1, params)
    x = torch.ones(4, 3)
    assert torch.equal(model.eval()(x), model(x))
    assert not torch.equal(model.train()(x), model(x))
