"""Faults that come from inside PyTorch name the layer, and what to do."""

import torch
from torch import nn

from tests.modules import Made
from xortune.engines.stacked.fitness import looked_at
from xortune.spec import Parameter


class Inner(nn.Module):
    def __init__(self, columns):
        super().__init__()
        self.head = nn.ModuleDict({"out": nn.Linear(columns, 1)})

    def forward(self, x):
        return self.head["out"](x)


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(3, 1)

    def forward(self, x):
        return self.out(x) + torch.zeros(7, 9)


class Pair(nn.Module):
    """Returns a pair where it is narrow, and takes other rows where it is wide."""

    def __init__(self, width):
        super().__init__()
        self.out = nn.Linear(3 if width == 3 else 7, 1)

    def forward(self, x):
        return self.out(x), x


def fault_of(make):
    made = Made(make)
    (fault,) = looked_at(made(), [made.trial()]).faults
    return fault


def test_a_layer_that_takes_other_rows_is_named_with_the_keyword_that_knows_them():
    fault = fault_of(lambda: nn.Sequential(nn.Linear(7, 4), nn.Linear(4, 1)))
    assert "shapes cannot be multiplied" in fault
    assert ", in layer 0 of the model, Linear(in_features=7, out_features=4, bias=True)" in fault
    assert "; x has 3 columns: the keyword inputs of model is their number" in fault
    assert ", in layer head.out of the model, Linear(in_features=5," in fault_of(lambda: Inner(5))
    assert ", in the model, Linear(in_features=7," in fault_of(lambda: nn.Linear(7, 1))


def test_a_layer_behind_the_first_gets_no_hint_about_the_columns():
    fault = fault_of(lambda: nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 1)))
    assert ", in layer 1 of the model, Linear(in_features=5," in fault
    assert "columns" not in fault


def test_a_layer_that_is_given_a_tuple_says_so():
    fault = fault_of(lambda: nn.Sequential(nn.GRU(3, 4), nn.Linear(4, 1)))
    assert "in layer 1 of the model, Linear" in fault
    assert "; it is given a tuple, such as nn.GRU returns: give it the first part" in fault


def test_the_users_own_line_needs_no_layer():
    assert "in the model" not in fault_of(Own)
    assert "layer" not in fault_of(Own)


def test_a_model_that_returns_a_tuple_has_that_fault_alone():
    made = Made(Pair, (Parameter("width", "int", 3, 1, 9),))
    (fault,) = looked_at(made(), [made.trial(width=width) for width in (4, 3)]).faults
    assert fault.startswith("the model returns a value of type tuple")
