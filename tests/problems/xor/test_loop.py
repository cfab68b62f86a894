import pytest
import torch

from tests.make import make_params
from xortune.problems.xor.data import load_data
from xortune.problems.xor.loop import loss_of, train
from xortune.problems.xor.model import predict, seeded_model, weights_of
from xortune.problems.xor.spec import LOSS_FNS


@pytest.fixture(scope="module")
def lab_run():
    return train(make_params(), "lab")


def test_the_lab_s_printed_losses_are_reproduced(lab_run, lab_table):
    curve = dict(zip(lab_run.curve.epochs, lab_run.curve.series["training"]))
    for epoch, printed in lab_table.items():
        assert curve[epoch] == pytest.approx(printed, rel=0.0025), epoch


def test_the_lab_s_trained_model_gives_the_lab_s_prediction(lab_run):
    assert predict(lab_run.model, [0.0, 1.0]) == pytest.approx(0.9715, abs=5e-4)


def test_the_lab_s_labels_are_learnt(lab_run):
    assert lab_run.scores["accuracy"] == 1
    assert (
        lab_run.scores["mse"]
        == lab_run.scores["train_loss"]
        == lab_run.curve.series["training"][-1]
    )


@pytest.mark.parametrize(
    ("epochs", "log_every", "expected"),
    [
        (1, 500, (0, 1)),
        (7, 3, (0, 3, 6, 7)),
        (6, 3, (0, 3, 6)),
        (3, 1, (0, 1, 2, 3)),
        (4, 9, (0, 4)),
    ],
)
def test_the_curve_has_epoch_0_every_log_every_and_the_last(epochs, log_every, expected):
    curve = train(make_params(epochs=epochs), log_every=log_every).curve
    assert curve.epochs == expected
    assert len(curve.series["training"]) == len(curve.series["validation"]) == len(expected)


@pytest.mark.parametrize("loss_fn", LOSS_FNS)
def test_the_loss_at_an_epoch_is_the_loss_after_as_many_updates(loss_fn):
    curve = train(make_params(1.0, 6, 5, loss_fn), log_every=1).curve
    rows = load_data("xor").training
    for epoch in range(1, 7):
        model = train(make_params(1.0, epoch, 5, loss_fn)).model
        assert curve.series["training"][epoch] == loss_of(model, rows, loss_fn).item()
    assert curve.series["training"][0] == loss_of(seeded_model(5), rows, loss_fn).item()


@pytest.mark.parametrize("loss_fn", LOSS_FNS)
def test_two_epochs_are_two_plain_steps_along_the_gradient(loss_fn):
    """Without a fresh gradient for each epoch the second step would be another one."""
    model, rows = seeded_model(9), load_data("xor").training
    for _ in range(2):
        loss = loss_of(model, rows, loss_fn)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(model.parameters(), gradients):
                parameter -= 0.5 * gradient
    trained = weights_of(train(make_params(0.5, 2, 9, loss_fn)).model)
    assert trained == pytest.approx(weights_of(model), abs=1e-7)


def test_bce_and_bce_with_logits_agree_until_they_saturate():
    bce, logits = (train(make_params(3.0, 400, 1, fn), log_every=50) for fn in LOSS_FNS[1:])
    assert bce.curve.epochs == logits.curve.epochs
    assert bce.curve.series["training"] == pytest.approx(logits.curve.series["training"], rel=1e-4)
    assert bce.scores["mse"] == pytest.approx(logits.scores["mse"], rel=1e-4)
    assert bce.scores["accuracy"] == 1


def test_validation_data_are_measured_apart_from_training():
    """They are a copy, so that both curves agree."""
    curve = train(make_params(1.0, 20, 3), log_every=5).curve
    assert curve.series["validation"] == curve.series["training"]


def test_scores_are_measured_alike_whatever_the_loss_function():
    trained = train(make_params(2.0, 300, 1, "bce"))
    rows = load_data("xor").validation
    output = trained.model(rows.x)
    assert trained.scores["bce"] == pytest.approx(trained.scores["train_loss"], rel=1e-5)
    assert trained.scores["accuracy"] == ((output > 0.5) == (rows.y > 0.5)).float().mean().item()
    assert trained.scores["mse"] == trained.scores["mse"]
    assert trained.scores["bce"] == trained.scores["bce"]


def test_training_is_repeatable_and_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    first, second = (train(make_params(0.5, 50, 11)) for _ in range(2))
    assert weights_of(first.model) == weights_of(second.model)
    assert first.curve == second.curve
    assert torch.equal(torch.get_rng_state(), before)
