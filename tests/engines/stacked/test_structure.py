"""Modules share a stack only if they differ in nothing but numbers and rates of dropout."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations

from tests.make import lanes
from tests.modules import WIDTH, Made, Mixed, Recurrent
from xortune.engines.stacked.padding import Padding
from xortune.engines.stacked.structure import shapes_of, structure_of
from xortune.spec import Parameter


class Scaled(nn.Module):
    """A hyperparameter that neither `repr` nor any shape shows."""

    def __init__(self, scale=1.0, act=torch.tanh) -> None:
        super().__init__()
        self.out = nn.Linear(3, 1)
        self.scale = scale
        self.act = act

    def forward(self, x):
        return self.act(self.out(x)) * self.scale


def scaled_by_closure(width: int) -> nn.Module:
    class Local(Scaled):
        def forward(self, x):
            return super().forward(x) * width

    return Local()


def scaled_by_attribute(width: int) -> nn.Module:
    return Scaled(float(width))


def scaled_by_lambda(width: int) -> nn.Module:
    return Scaled(act=lambda x: x * width)


ALIKE = [
    partial(nn.Linear, 3, 2),
    partial(Mixed, 4, 0.1, "Tanh"),
    partial(Recurrent, nn.GRU),
    partial(Scaled, 2, F.relu),
    partial(Scaled, act=partial(F.leaky_relu, negative_slope=0.1)),
]


@pytest.mark.parametrize("make", ALIKE)
def test_modules_that_are_made_alike_have_one_structure(make):
    one, other = make(), make()
    assert structure_of(one) is not None
    assert structure_of(one) == structure_of(other)
    assert shapes_of(one) == shapes_of(other)
    hash((structure_of(one), shapes_of(one)))


def test_a_rate_of_dropout_is_no_part_of_the_structure_and_the_like_of_it_is():
    assert structure_of(nn.Dropout(0.1)) == structure_of(nn.Dropout(0.2))
    assert structure_of(nn.AlphaDropout(0.1)) != structure_of(nn.AlphaDropout(0.2))
    assert structure_of(nn.LeakyReLU(0.1)) != structure_of(nn.LeakyReLU(0.2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Scaled(1.0), Scaled(2.0)),
        (Scaled(1.0), Scaled(1)),
        (Scaled((1, [2])), Scaled((1, [3]))),
        (Scaled(act=F.relu), Scaled(act=F.gelu)),
        (Scaled(torch.ones(2)), Scaled(torch.zeros(2))),
        (nn.ReLU(), nn.Tanh()),
        (nn.Sequential(nn.ReLU()), nn.ModuleList([nn.ReLU()])),
    ],
)
def test_modules_that_differ(one, other):
    assert structure_of(one) is not None
    assert structure_of(one) != structure_of(other)


def test_shapes_types_and_what_is_trained_are_told_apart():
    linear = nn.Linear(3, 2)
    assert shapes_of(linear) != shapes_of(nn.Linear(3, 3))
    assert shapes_of(linear) != shapes_of(nn.Linear(3, 2, bias=False))
    assert shapes_of(linear) != shapes_of(nn.Linear(3, 2).requires_grad_(False))
    assert shapes_of(linear) != shapes_of(nn.Linear(3, 2).double())


def with_hook() -> nn.Module:
    module = nn.Linear(3, 1)
    module.register_forward_hook(lambda module, args, output: output * 2)
    return module


@pytest.mark.parametrize(
    "module",
    [
        scaled_by_closure(2),
        scaled_by_lambda(2),
        Scaled(object()),
        with_hook(),
        parametrizations.spectral_norm(nn.Linear(3, 2)),
    ],
    ids=["class", "lambda", "object", "hook", "parametrization"],
)
def test_what_cannot_be_compared_has_no_structure(module):
    assert structure_of(module) is None


@pytest.mark.parametrize("make", [scaled_by_attribute, scaled_by_closure, scaled_by_lambda])
def test_lanes_whose_modules_differ_unseen_do_not_get_each_others(make):
    made = Made(make, (WIDTH,))
    params = [made.trial(width=width, seed=width) for width in (2, 3, 2, 5)]
    packs = (
        engine.open("cpu").train(lanes(params), 1) for engine in (made.plain(), made.stacked())
    )
    for plain, stacked in zip(*packs):
        assert stacked.state == "COMPLETE", stacked.error
        assert stacked.scores.row == pytest.approx(plain.scores.row, rel=1e-5)


class Knowing(nn.Module):
    """Computes with the rate of its dropout, which in a stack is none."""

    def __init__(self, width: float) -> None:
        super().__init__()
        self.drop = nn.Dropout(width / 10)
        self.out = nn.Linear(3, 1)

    def forward(self, x):
        return self.out(self.drop(x)) * (1 + self.drop.p)


def test_a_module_that_computes_with_its_rate_fails_rather_than_use_anothers():
    made = Made(Knowing, (Parameter("width", "int", 1, low=0, high=9),))
    params = [made.trial(width=width) for width in (1, 2)]
    for outcome in made.stacked(Padding()).open("cpu").train(lanes(params), 1):
        assert outcome.state == "FAIL"
        assert outcome.error.startswith(
            "the model cannot be stacked, though it can be trained alone: TypeError: "
        )
