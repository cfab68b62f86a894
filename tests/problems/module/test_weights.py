"""The numbers of a module, with its buffers, as they are stored."""

import pytest
import torch
from torch import nn

from xortune.errors import UsageError, XortuneError
from xortune.problems.module.weights import layout_of, set_weights, state_of, weights_of


def made(width=4):
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width))


def test_parameters_and_buffers_come_back_in_their_types():
    torch.manual_seed(1)
    trained, other = made(), made()
    for _ in range(3):
        trained(torch.randn(5, 3))
    weights = weights_of(trained.state_dict())
    assert weights.layout == layout_of(trained)
    assert ("1.num_batches_tracked", ()) in weights.layout
    set_weights(other, weights)
    for name, tensor in other.state_dict().items():
        assert tensor.dtype == trained.state_dict()[name].dtype
        assert torch.equal(tensor, trained.state_dict()[name]), name


def test_those_of_another_module_are_refused():
    with pytest.raises(XortuneError, match="0.weight 4x3, .* there, and 0.weight 5x3, .* here"):
        set_weights(made(5), weights_of(made().state_dict()))
    damaged = weights_of(made().state_dict())._replace(content=b"1234")
    with pytest.raises(XortuneError, match="those of another module"):
        set_weights(made(), damaged)


def test_a_state_dict_is_made_without_the_module():
    torch.manual_seed(1)
    trained, other = made(), made()
    trained(torch.randn(5, 3))
    weights = weights_of(trained.state_dict())
    other.load_state_dict(state_of(weights))
    for name, tensor in other.state_dict().items():
        assert torch.equal(tensor, trained.state_dict()[name]), name
    with pytest.raises(UsageError, match="are not those of their module: they are damaged"):
        state_of(weights._replace(content=b"1234"))
