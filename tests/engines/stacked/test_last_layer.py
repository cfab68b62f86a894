"""A last layer that the loss contains already."""

from __future__ import annotations

from dataclasses import replace

import pytest
from torch import nn

from tests.modules import Made
from xortune.engines.stacked.fitness import looked_at
from xortune.problems.module.losses import LOSSES
from xortune.spec import Parameter


class Gated(nn.Module):
    """Has a sigmoid of the middle, made last."""

    def __init__(self):
        super().__init__()
        self.out, self.first, self.gate = nn.Linear(4, 1), nn.Linear(3, 4), nn.Sigmoid()

    def forward(self, x):
        return 3 * self.out(self.gate(self.first(x))) - 5


def ending_in(*layers):
    return lambda width: nn.Sequential(nn.Linear(3, 4), nn.Linear(4, width), *layers)


def doubled(make, loss, own=None, widths=(3, 4)):
    parameters = (Parameter("width", "int", 3, 1, 9),)
    made = Made(make, parameters, losses={loss: own or LOSSES[loss]}, metrics={})
    lesson = made()
    if loss == "bce_with_logits":
        y = {name: (getattr(lesson, name) > 0).float() for name in ("y", "y_validation")}
        y = {name: target.expand(-1, widths[0]) for name, target in y.items()}
        lesson = replace(lesson, **y)
    found = looked_at(lesson, [made.trial(width=width) for width in widths])
    assert found.faults == ()
    return found.doubled


@pytest.mark.parametrize(
    ("layer", "loss", "widths"),
    [(nn.Sigmoid(), "bce_with_logits", (1,)), (nn.Softmax(1), "cross_entropy", (3, 4))],
)
def test_a_loss_of_logits_behind_what_it_does_itself_is_said(layer, loss, widths):
    said = doubled(ending_in(layer), loss, widths=widths)
    assert f"the model ends in nn.{type(layer).__name__}, and the loss {loss} takes logits" in said
    assert said.endswith("leave the layer out")


def test_other_layers_and_losses_are_as_they_should_be():
    assert doubled(ending_in(), "bce_with_logits", widths=(1,)) == ""
    assert doubled(ending_in(nn.LogSoftmax(1)), "cross_entropy") == ""
    assert doubled(lambda width: Gated(), "bce_with_logits", widths=(1,)) == ""
    sigmoid = ending_in(nn.Sigmoid())
    assert doubled(sigmoid, "bce_with_logits", nn.BCELoss(), widths=(1,)) == ""


def test_a_layer_that_only_some_trials_have_is_their_own_affair():
    make = {3: ending_in(nn.Softmax(1)), 4: ending_in()}
    assert doubled(lambda width: make[width](width), "cross_entropy") == ""
