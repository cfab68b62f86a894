"""Modules that are perceptrons are recognised as what they are, and no others."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from xortune.problems.module.perceptron import Perceptron, Recogniser

X = torch.linspace(-2, 2, 24).reshape(8, 3)


def form_of(module: nn.Module, x: Tensor = X) -> Perceptron | None:
    """The form; it does not matter whether numbers are compared as well."""
    found = Recogniser(x).form_of(module)
    assert Recogniser(x).form_of(module, compared=True) == found
    return found


def described(module: nn.Module, x: Tensor = X) -> tuple[Any, ...]:
    form = form_of(module, x)
    assert form is not None
    return form.inputs, form.outputs, form.width, form.depth, form.activation, form.dropout


def sequence(*between: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 5), *between, nn.Linear(5, 1))


class Net(nn.Module):
    """Two hidden layers, whose `forward` is given."""

    def __init__(self, change: Callable[..., Any] | None = None, rate: float = 0.0) -> None:
        super().__init__()
        self.last = nn.Linear(5, 1)  # registered first
        self.first, self.second = nn.Linear(3, 5), nn.Linear(5, 5)
        self.drop = nn.Dropout(rate)
        self.rate = rate
        self.count = 0
        self.change = change

    def forward(self, x: Tensor) -> Any:
        if self.change is not None:
            return self.change(self, x)
        return self.last(torch.tanh(self.second(torch.tanh(self.first(x)))))


def with_rate(net: Any, x: Tensor) -> Tensor:
    hidden = F.dropout(F.relu(net.first(x)), net.rate, net.training)
    return net.last(F.dropout(net.second(hidden).relu(), p=net.rate, training=net.training))


def with_layers(net: Any, x: Tensor) -> Tensor:
    for layer in (net.first, net.second):
        x = net.drop(F.gelu(layer(x)))
    return net.last(x).squeeze(-1)


def with_column(net: Any, x: Tensor) -> Tensor:
    return net.last(torch.sigmoid(net.second(net.first(x).sigmoid())))[:, 0]


ONE = (3, 1, 5, 1)
TWO = (3, 1, 5, 2)
GOOD: dict[str, tuple[Callable[[], nn.Module], tuple[Any, ...]]] = {
    "one layer": (lambda: nn.Linear(3, 2), (3, 2, 1, 0, "relu", 0.0)),
    "ReLU": (lambda: sequence(nn.ReLU()), (*ONE, "relu", 0.0)),
    "ReLU in place": (lambda: sequence(nn.ReLU(inplace=True)), (*ONE, "relu", 0.0)),
    "Tanh": (lambda: sequence(nn.Tanh()), (*ONE, "tanh", 0.0)),
    "GELU": (lambda: sequence(nn.GELU()), (*ONE, "gelu", 0.0)),
    "SiLU": (lambda: sequence(nn.SiLU()), (*ONE, "silu", 0.0)),
    "Sigmoid": (lambda: sequence(nn.Sigmoid()), (*ONE, "sigmoid", 0.0)),
    "dropout": (lambda: sequence(nn.Tanh(), nn.Dropout(0.25)), (*ONE, "tanh", 0.25)),
    "dropout of nothing": (
        lambda: sequence(nn.Dropout(0.0), nn.Tanh(), nn.Identity()), (*ONE, "tanh", 0.0)
    ),
    "nested": (
        lambda: nn.Sequential(
            nn.Flatten(), sequence(nn.ReLU(), nn.Sequential(nn.Linear(5, 5), nn.ReLU()))
        ),
        (*TWO, "relu", 0.0),
    ),
    "forward": (Net, (*TWO, "tanh", 0.0)),
    "functions of dropout": (lambda: Net(with_rate, 0.3), (*TWO, "relu", 0.3)),
    "a loop": (lambda: Net(with_layers, 0.1), (*TWO, "gelu", 0.1)),
    "a column": (lambda: Net(with_column), (*TWO, "sigmoid", 0.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_perceptron_is_recognised_with_its_sizes_activation_and_dropout(name):
    make, expected = GOOD[name]
    assert described(make()) == expected


def test_rows_with_more_axes_are_flat_behind_flatten_alone():
    images = torch.linspace(-1, 1, 8 * 4).reshape(8, 2, 2)
    made = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    assert described(made, images) == (4, 2, 3, 1, "relu", 0.0)
    assert form_of(made[1:], images.reshape(8, 2, 2)) is None
    assert form_of(nn.Linear(2, 1), images) is None


def test_weights_go_in_the_order_of_execution_and_come_back_in_that_of_the_module():
    module, other = Net(), Net()
    form = form_of(module)
    assert form is not None
    assert form.layers == ("first", "second", "last")
    numbers = form.numbers(module)
    expected = [
        t.detach().flatten() for n in form.layers for t in module.get_submodule(n).parameters()
    ]
    assert torch.equal(torch.from_numpy(numbers), torch.cat(expected))
    form.put(other, numbers)
    for name, tensor in module.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
    assert form.count == len(numbers)


def test_the_generators_are_where_they_were():
    torch.manual_seed(3)
    expected = torch.rand(2)
    module = Net(with_rate, 0.3)
    torch.manual_seed(3)
    assert form_of(module) is not None
    assert torch.equal(torch.rand(2), expected)


class Louder(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


class Leaky(nn.ReLU):
    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x) + 0.01 * x


class Buffered(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(*sequence(nn.ReLU()))
        self.register_buffer("mean", torch.zeros(1))


class Called(Net):
    def __call__(self, x: Tensor) -> Any:
        return -super().__call__(x)


class Moded(Net):
    def train(self, mode: bool = True) -> Moded:
        return super().train(False)


class Stated(Net):
    def get_extra_state(self) -> Tensor:
        return torch.zeros(1)


def hooked() -> nn.Module:
    made = sequence(nn.ReLU())
    made[1].register_forward_hook(lambda part, inputs, output: output + 1)
    return made


def hooked_gradient() -> nn.Module:
    made = sequence(nn.ReLU())
    made[0].weight.register_hook(lambda gradient: -gradient)
    return made


def replaced() -> nn.Module:
    made = sequence(nn.ReLU())
    made[1].forward = torch.tanh  # type: ignore[method-assign]
    return made


def frozen() -> nn.Module:
    made = sequence(nn.ReLU())
    made[0].weight.requires_grad = False  # type: ignore[union-attr]
    return made


def tied() -> nn.Module:
    made = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
    made[2].weight = made[0].weight
    return made


def twice() -> nn.Module:
    layer = nn.Linear(3, 3)
    return nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), nn.Linear(3, 1))


def normed() -> nn.Module:
    made = sequence(nn.ReLU())
    nn.utils.parametrizations.weight_norm(made[0])
    return made


def counting(net: Any, x: Tensor) -> Tensor:
    net.count += 1
    return net.last(torch.tanh(net.second(torch.tanh(net.first(x)))))


def drawing(net: Any, x: Tensor) -> Tensor:
    x = torch.tanh(net.first(x))
    return net.last(torch.tanh(net.second(x)) if random.random() < 2 else x)


def by_training(net: Any, x: Tensor) -> Tensor:
    x = torch.tanh(net.first(x))
    if net.training:
        x = torch.tanh(net.second(x))
        return net.last(x)
    return net.last(torch.tanh(net.second(torch.tanh(x))))


def as_tensor(net: Any, x: Tensor) -> Tensor:
    y = net.last(torch.tanh(net.second(torch.tanh(net.first(x)))))
    return -y if isinstance(x, Tensor) else y


def without_slopes(net: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        x = torch.tanh(net.first(x))
    return net.last(torch.tanh(net.second(x)))


def always_dropped(net: Any, x: Tensor) -> Tensor:
    x = F.dropout(torch.tanh(net.first(x)), 0.5)
    return net.last(F.dropout(torch.tanh(net.second(x)), 0.5))


def hidden(change: Callable[[Any, Tensor], Tensor]) -> Callable[[], nn.Module]:
    """A network whose second hidden layer is made of the output of the first by a function."""
    return lambda: Net(lambda net, x: net.last(change(net, torch.tanh(net.first(x)))))


BAD: dict[str, Callable[[], nn.Module]] = {
    "no bias": lambda: nn.Sequential(nn.Linear(3, 5, bias=False), nn.ReLU(), nn.Linear(5, 1)),
    "two activations": lambda: sequence(nn.ReLU(), nn.Linear(5, 5), nn.Tanh()),
    "two widths": lambda: nn.Sequential(
        nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1)
    ),
    "no activation": lambda: sequence(nn.Linear(5, 5), nn.ReLU()),
    "activation twice": lambda: sequence(nn.ReLU(), nn.ReLU()),
    "activation at the end": lambda: nn.Sequential(sequence(nn.ReLU()), nn.ReLU()),
    "activation at the start": lambda: nn.Sequential(nn.ReLU(), sequence(nn.ReLU())),
    "an approximate GELU": lambda: sequence(nn.GELU("tanh")),
    "a leaky ReLU": lambda: sequence(nn.LeakyReLU()),
    "a normed layer": lambda: sequence(nn.LayerNorm(5), nn.ReLU()),
    "dropout before": lambda: sequence(nn.Dropout(0.2), nn.ReLU()),
    "dropout of inputs": lambda: nn.Sequential(nn.Dropout(0.2), sequence(nn.ReLU())),
    "two rates": lambda: sequence(
        nn.ReLU(), nn.Dropout(0.2), nn.Linear(5, 5), nn.ReLU(), nn.Dropout(0.1)
    ),
    "dropout once": lambda: sequence(nn.ReLU(), nn.Dropout(0.2), nn.Linear(5, 5), nn.ReLU()),
    "all is dropped": lambda: sequence(nn.ReLU(), nn.Dropout(1.0)),
    "dropout of channels": lambda: sequence(nn.ReLU(), nn.Dropout1d(0.2)),
    "other inputs": lambda: nn.Linear(4, 1),
    "an activation's subclass": lambda: sequence(Leaky()),
    "a layer's subclass": lambda: nn.Sequential(Louder(3, 5), nn.ReLU(), nn.Linear(5, 1)),
    "a buffer": Buffered,
    "a hook": hooked,
    "a hook of a gradient": hooked_gradient,
    "a forward of an object": replaced,
    "a frozen weight": frozen,
    "tied layers": tied,
    "a layer twice": twice,
    "a parametrization": normed,
    "doubles": lambda: sequence(nn.ReLU()).double(),
    "a call of its own": Called,
    "a mode of its own": Moded,
    "a state of its own": Stated,
    "a count": lambda: Net(counting),
    "a draw": lambda: Net(drawing),
    "another in evaluation": lambda: Net(by_training),
    "another for tensors": lambda: Net(as_tensor),
    "no slopes": lambda: Net(without_slopes),
    "dropout in evaluation": lambda: Net(always_dropped),
    "a skip": hidden(lambda net, x: x + torch.tanh(net.second(x))),
    "a skipped layer": hidden(lambda net, x: x),
    "a factor": hidden(lambda net, x: 2 * torch.tanh(net.second(x))),
    "a layer twice in forward": hidden(
        lambda net, x: torch.tanh(net.second(torch.tanh(net.second(x))))
    ),
    "an approximate gelu": hidden(lambda net, x: F.gelu(net.second(x), approximate="tanh")),
    "a branch": hidden(lambda net, x: torch.tanh(net.second(x)) if x.mean() > 0 else x),
    "detached": hidden(lambda net, x: torch.tanh(net.second(x.detach()))),
    "a tuple": lambda: Net(lambda net, x: (net.last(torch.tanh(net.first(x))),)),
    "the functional layer": hidden(
        lambda net, x: torch.tanh(F.linear(x, net.second.weight, net.second.bias))
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_nothing_else_is_taken_for_one(name):
    assert form_of(BAD[name]()) is None


def test_whole_numbers_are_no_rows_of_a_perceptron():
    assert form_of(nn.Linear(3, 1), torch.ones(4, 3, dtype=torch.int64)) is None


def test_a_global_hook_is_seen():
    handle = nn.modules.module.register_module_forward_hook(lambda part, inputs, output: None)
    try:
        assert form_of(sequence(nn.ReLU())) is None
    finally:
        handle.remove()


def test_what_is_known_of_a_class_is_not_taken_for_an_object_that_differs():
    recogniser = Recogniser(X)
    assert recogniser.form_of(Net(with_rate, 0.3)) is not None
    assert recogniser.form_of(Net(with_rate, 0.4)).dropout == 0.4  # type: ignore[union-attr]
    assert recogniser.form_of(Net(as_tensor)) is None
    assert recogniser.form_of(Net(as_tensor)) is None
    odd = Net(with_rate, 0.3)
    odd.first.weight.requires_grad = False
    assert recogniser.form_of(odd) is None
    assert recogniser.form_of(Net(with_rate, 0.3)) is not None


def test_an_object_with_a_frozen_weight_says_nothing_of_others_like_it():
    recogniser, odd = Recogniser(X), Net(with_rate, 0.3)
    odd.first.weight.requires_grad = False
    assert recogniser.form_of(odd) is None
    assert recogniser.form_of(Net(with_rate, 0.3)) is not None
