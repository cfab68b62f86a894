"""Dropout of PyTorch multiplies by given factors, and draws nothing."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from xortune.engines.plain.dropout_calls import DropoutCalls


class Asked:
    """Gives factors that count up, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []

    def __call__(self, call, rate, shape) -> torch.Tensor:
        self.calls.append((call, rate, tuple(shape)))
        return torch.arange(float(torch.tensor(shape).prod())).view(*shape)


@pytest.mark.parametrize(
    ("module", "shape", "dropped"),
    [
        (nn.Dropout(0.3), (2, 3), (2, 3)),
        (nn.Dropout1d(0.3), (2, 3, 4), (2, 3, 1)),
        (nn.Dropout2d(0.3), (2, 3, 4, 5), (2, 3, 1, 1)),
        (nn.Dropout3d(0.3), (2, 3, 4, 5, 6), (2, 3, 1, 1, 1)),
    ],
)
def test_channels_are_dropped_as_a_whole(module, shape, dropped):
    asked, before = Asked(), torch.get_rng_state()
    with DropoutCalls(asked):
        found = module(torch.ones(shape))
    assert asked.calls == [(0, 0.3, dropped)]
    assert torch.equal(found, asked(0, 0, dropped).expand(shape))
    assert torch.equal(torch.get_rng_state(), before)


def test_calls_are_counted_also_where_nothing_is_dropped():
    asked = Asked()
    x = torch.ones(2)
    with DropoutCalls(asked) as calls:
        F.dropout(x, 0.1)
        F.dropout(x, 0.0)
        nn.Dropout(0.5).eval()(x)
        torch.dropout(x, 0.2, train=True)
        torch.dropout(x, 0.2, train=False)
        F.dropout(x, p=0.4, training=True, inplace=True)
    assert asked.calls == [(0, 0.1, (2,)), (2, 0.2, (2,)), (3, 0.4, (2,))]
    assert calls.count == 4
    assert x.tolist() == [0.0, 1.0]


def test_other_draws_are_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3), F.alpha_dropout(torch.ones(9), 0.5, training=True)
    torch.manual_seed(5)
    with DropoutCalls(Asked()):
        found = torch.rand(3), F.alpha_dropout(torch.ones(9), 0.5, training=True)
    assert all(map(torch.equal, found, expected))
