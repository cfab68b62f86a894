import pytest
import torch
from torch import nn

from xortune.problems.xor.data import load_data
from xortune.problems.xor.loop import loss_of
from xortune.problems.xor.model import seeded_model, trained_model

ROWS = load_data("xor").training
SEEDS = range(5)


@pytest.mark.parametrize("seed", SEEDS)
def test_mse_sees_the_output(seed):
    model = seeded_model(seed)
    expected = (model(ROWS.x) - ROWS.y).square().mean()
    assert loss_of(model, ROWS, "mse").item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_bce_sees_the_output(seed):
    model = seeded_model(seed)
    p = model(ROWS.x)
    expected = -(ROWS.y * p.log() + (1 - ROWS.y) * (1 - p).log()).mean()
    assert loss_of(model, ROWS, "bce").item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_bce_with_logits_sees_the_logits(seed):
    """The classic mistake, to give it the sigmoid's output, has another value."""
    model = seeded_model(seed)
    loss = loss_of(model, ROWS, "bce_with_logits").item()
    mistake = nn.BCEWithLogitsLoss()(model(ROWS.x), ROWS.y).item()
    assert loss == pytest.approx(loss_of(model, ROWS, "bce").item(), rel=1e-6)
    assert abs(loss - mistake) > 1e-3


def test_saturated_bce_is_clamped_and_bce_with_logits_is_not():
    """Logits of +500: nn.BCELoss clamps the logarithms of the two wrong rows to -100."""
    model = trained_model([0, 0, 0, 0, 0, 0, 0, 0, 500])
    assert loss_of(model, ROWS, "bce").item() == 50
    assert loss_of(model, ROWS, "bce_with_logits").item() == 250


@pytest.mark.parametrize("loss_fn", ["mse", "bce", "bce_with_logits"])
def test_autograd_can_follow(loss_fn):
    model = seeded_model(1)
    loss = loss_of(model, ROWS, loss_fn)
    assert loss.shape == ()
    loss.backward()
    assert all(torch.any(parameter.grad != 0) for parameter in model.parameters())
