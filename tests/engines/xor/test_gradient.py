"""The gradient that was derived by hand, and losses, in both engines, against PyTorch's own."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from tests.engines.xor.packs import whole
from tests.make import make_params
from xortune.problems.xor.data import load_data
from xortune.problems.xor.loop import loss_of, score
from xortune.problems.xor.model import trained_model
from xortune.problems.xor.spec import DATA_NAMES, LOSS_FNS, LossFn
from xortune.trial import Params

# A large rate, so that the weights' own rounding does not hide a small gradient.
LR = 1024.0
LOGITS = (-200.0, -104.0, -60.0, -28.0, -27.0, -17.0, 0.0, 16.0, 17.0, 27.0, 28.0, 200.0)


def random_weights(scale: float, count: int = 64) -> torch.Tensor:
    return scale * torch.randn(count, 9, generator=torch.Generator().manual_seed(5))


def constant_outputs() -> torch.Tensor:
    """Weights whose output hardly depends on the inputs: logits from -200 to 200."""
    weights = random_weights(0.1, len(LOGITS))
    weights[:, 8] = torch.tensor(LOGITS)
    return weights


def block_of(weights: torch.Tensor, params: Sequence[Params], data, kernels):
    """A block with these weights, `(lanes, 9)`, before its first epoch."""
    stretch = replace(whole(params), weights=weights.numpy())
    return kernels(data).block(stretch)


def trained(block) -> torch.Tensor:
    return torch.tensor(block.trained())


def engine_gradient(weights: torch.Tensor, loss_fn: LossFn, data, kernels) -> torch.Tensor:
    block = block_of(weights, [make_params(LR, 1, loss_fn=loss_fn)] * len(weights), data, kernels)
    block.advance(1)
    return (weights.double() - trained(block).double()) / LR


def autograd_gradient(weights: Sequence[float], loss_fn: LossFn, data) -> torch.Tensor:
    model = trained_model(weights)
    loss_of(model, load_data(data).training, loss_fn).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()]).double()


def assert_gradients_agree(weights: torch.Tensor, loss_fn: LossFn, data, kernels) -> None:
    expected = torch.stack([autograd_gradient(w, loss_fn, data) for w in weights.tolist()])
    torch.testing.assert_close(
        engine_gradient(weights, loss_fn, data, kernels), expected, rtol=1e-5, atol=1e-7
    )


@pytest.mark.parametrize("data", DATA_NAMES)
@pytest.mark.parametrize("scale", [0.5, 5.0])
@pytest.mark.parametrize("loss_fn", LOSS_FNS)
def test_the_gradient_is_autograd_s(kernels, loss_fn, scale, data):
    assert_gradients_agree(random_weights(scale), loss_fn, data, kernels)


@pytest.mark.parametrize("loss_fn", LOSS_FNS)
def test_the_gradient_is_autograd_s_where_the_output_saturates(kernels, loss_fn):
    assert_gradients_agree(constant_outputs(), loss_fn, "xor", kernels)


def test_the_gradient_of_bce_vanishes_where_the_output_is_exactly_0_or_1(kernels):
    """Unlike that of bce_with_logits: the reason why the two part."""
    weights = constant_outputs()[[0, -1]]
    outputs = [trained_model(w)(load_data("xor").training.x) for w in weights.tolist()]
    assert outputs[0].eq(0).all()
    assert outputs[1].eq(1).all()
    assert not engine_gradient(weights, "bce", "xor", kernels).any()
    assert engine_gradient(weights, "bce_with_logits", "xor", kernels)[:, 8].abs().min() > 0.4


# One lane more than two blocks of the compiled kernels, and one less than the padding.
EPOCHS = [5] * 31 + [4, 3, 3] + [2] * 30 + [1] * 63


def advanced(kernels, *epochs: int) -> torch.Tensor:
    """Weights after the epochs, one call for each: `(127, 9)`."""
    params = [make_params(1.0, own) for own in EPOCHS]
    block = block_of(random_weights(1.0, len(EPOCHS)), params, "xor", kernels)
    for epoch in epochs:
        block.advance(epoch)
    return trained(block)


def test_lanes_rest_once_they_have_had_their_epochs(kernels):
    at = [advanced(kernels, epoch) for epoch in range(6)]
    for epoch in range(5):
        moved = (at[epoch + 1] != at[epoch]).any(dim=1).tolist()
        assert moved == [epoch < own for own in EPOCHS], epoch
    assert torch.equal(advanced(kernels, 9), at[5])


@pytest.mark.parametrize("stops", [(1, 2, 3, 4, 5), (0, 0, 4, 4, 5), (3, 9)], ids=str)
def test_where_an_advance_is_cut_does_not_matter(kernels, stops):
    assert torch.equal(advanced(kernels, *stops), advanced(kernels, 5))


def test_before_the_first_epoch_there_are_the_initial_weights(kernels):
    assert torch.equal(advanced(kernels, 0), random_weights(1.0, len(EPOCHS)))


@pytest.mark.parametrize("data", DATA_NAMES)
@pytest.mark.parametrize("loss_fn", LOSS_FNS)
def test_losses_and_accuracy_are_those_of_the_reference(kernels, loss_fn, data):
    weights = torch.cat([random_weights(0.5), random_weights(5.0), constant_outputs()])
    block = block_of(weights, [make_params(loss_fn=loss_fn)] * len(weights), data, kernels)
    rows = load_data(data).training
    (losses,) = block.own_losses(len(weights)).tolist()
    for nine, loss, measured in zip(weights.tolist(), losses, block.scores().T.tolist()):
        model = trained_model(nine)
        expected = score(model, rows, loss_of(model, rows, loss_fn).item())
        assert measured[0] == loss
        assert measured[:3] == pytest.approx(
            [expected["train_loss"], expected["mse"], expected["bce"]], rel=1e-5
        ), nine
        assert measured[3] == expected["accuracy"], nine
