"""The learning rate over the epochs, and what optimizers remember."""

import math

import pytest
import torch
from torch import nn

from tests.tables import make_trial
from xortune.engines.plain.optimizers import SCALARS, STATE, make_optimizer, rate
from xortune.problems.table.spec import OPTIMIZERS


def rates(schedule: str, epochs: int) -> list[float]:
    params = make_trial(lr=2.0, epochs=epochs, schedule=schedule)
    return [rate(params, epoch) for epoch in range(epochs)]


def test_a_constant_rate():
    assert rates("constant", 3) == [2.0, 2.0, 2.0]


def test_a_cosine_falls_from_the_rate_towards_zero():
    found = rates("cosine", 10)
    assert found == pytest.approx([1 + math.cos(math.pi * e / 10) for e in range(10)])
    assert found[0] == 2.0
    assert found[5] == pytest.approx(1.0)


def test_steps_at_half_and_at_three_quarters():
    assert rates("step", 8) == pytest.approx([2, 2, 2, 2, 0.2, 0.2, 0.02, 0.02])
    assert rates("step", 5) == pytest.approx([2, 2, 2, 0.2, 0.02])
    assert rates("step", 1) == [2.0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_an_optimizer_remembers_is_known(name):
    weights = nn.Parameter(torch.ones(5))
    optimizer = make_optimizer(weights, make_trial(optimizer=name))
    weights.grad = torch.ones(5)
    optimizer.step()
    state = {key: value for key, value in optimizer.state[weights].items() if value is not None}
    assert tuple(sorted(state)) == tuple(sorted(STATE[name]))
    for key, value in state.items():
        assert value.shape == (() if key in SCALARS else (5,))
        assert value.dtype == torch.float32
