import math
import random

import pytest
import torch

from tests.engines.xor.packs import train_pack
from tests.make import make_params
from xortune.engines.devices import usable_device
from xortune.engines.xor.engines import EagerEngine
from xortune.errors import UsageError
from xortune.problems.xor.data import load_data
from xortune.problems.xor.loop import score, train
from xortune.problems.xor.model import predict, trained_model
from xortune.problems.xor.spec import LAYOUT, LOSS_FNS
from xortune.trial import Curve


def first_lost(curve: Curve) -> int | None:
    """The first epoch of a curve whose training loss is not finite."""
    points = zip(curve.epochs, curve.series["training"])
    return next((epoch for epoch, loss in points if not math.isfinite(loss)), None)


def test_the_lab_s_printed_losses_are_reproduced(engine, lab_table):
    outcome = train_pack(engine("lab"), [make_params()])[0]
    curve = dict(zip(outcome.curve.epochs, outcome.curve.series["training"]))
    for epoch, printed in lab_table.items():
        assert curve[epoch] == pytest.approx(printed, rel=0.0025), epoch
    assert predict(trained_model(outcome.weights.numbers()), [0, 1]) == pytest.approx(
        0.9715, abs=5e-4
    )


def test_nine_seeds_in_ten_solve_xor_with_the_lab_s_loss(engine):
    outcomes = train_pack(engine(), [make_params(1.0, 10_000, seed) for seed in range(500)])
    solved = sum(outcome.scores["accuracy"] == 1 for outcome in outcomes)
    assert 0.85 <= solved / 500 <= 0.95


@pytest.mark.parametrize("log_every", [1, 3, 4, 500])
@pytest.mark.parametrize("epochs", [1, 2, 3, 12, 13])
def test_the_curve_has_the_epochs_of_the_reference(engine, epochs, log_every):
    params = make_params(1.0, epochs, 3, "bce")
    curve = train_pack(engine(), [params], log_every)[0].curve
    reference = train(params, "xor", log_every).curve
    assert curve.epochs == reference.epochs
    assert curve.epochs == (*range(0, epochs, log_every), epochs)
    assert curve.series.keys() == reference.series.keys() == {"training", "validation"}
    for name, losses in curve.series.items():
        assert losses == pytest.approx(reference.series[name], rel=1e-5)


def test_a_pack_of_unlike_trials_is_given_back_in_order(engine):
    draw = random.Random(0)
    params = [
        make_params(10 ** draw.uniform(-2, 1), draw.randint(1, 40), draw.randrange(2**32), loss_fn)
        for loss_fn in LOSS_FNS * 10
    ]
    for p, outcome in zip(params, train_pack(engine("lab"), params, 10)):
        reference = train(p, "lab", 10)
        assert outcome.state == "COMPLETE"
        assert outcome.error is None
        assert outcome.curve.epochs == reference.curve.epochs
        assert outcome.curve.series["training"] == pytest.approx(
            reference.curve.series["training"], rel=1e-4
        )
        assert outcome.scores["mse"] == pytest.approx(reference.scores["mse"], rel=1e-4)
        assert outcome.scores["bce"] == pytest.approx(reference.scores["bce"], rel=1e-4)


def test_the_scores_are_those_of_the_weights(engine):
    params = [make_params(10.0, 50 + s, s, LOSS_FNS[s % 3]) for s in range(12)]
    validation = load_data("xor").validation
    for outcome in train_pack(engine(), params):
        model, scores = trained_model(outcome.weights.numbers()), outcome.scores
        again = score(model, validation, scores["train_loss"])
        assert scores["mse"] == pytest.approx(again["mse"], rel=1e-5)
        assert scores["bce"] == pytest.approx(again["bce"], rel=1e-5)
        assert scores["accuracy"] == again["accuracy"]
        assert outcome.curve.series["training"][-1] == scores["train_loss"]


@pytest.mark.parametrize(
    ("data", "params", "epoch"),
    [
        ("xor", make_params(3e38, 60, 0, "bce_with_logits"), 2),
        ("xor", make_params(3e38, 2, 5, "bce_with_logits"), 2),
        ("lab", make_params(3e38, 60, 128, "bce_with_logits"), 6),
    ],
)
def test_a_diverging_trial_fails_with_its_epoch(engine, data, params, epoch):
    assert first_lost(train(params, data, log_every=1).curve) == epoch
    outcomes = train_pack(engine(data), [make_params(epochs=70), params, make_params(epochs=3)])
    assert [outcome.state for outcome in outcomes] == ["COMPLETE", "FAIL", "COMPLETE"]
    curve = train_pack(engine(data), [params], 1)[0].curve
    first = first_lost(curve)
    assert outcomes[1].error == f"loss is not finite at epoch {first}"
    # So near to the end of the numbers the compiled engine may overflow a little earlier.
    assert first == epoch if isinstance(engine(), EagerEngine) else first <= epoch
    assert outcomes[1].scores is None
    assert outcomes[1].weights is None
    assert outcomes[1].curve.epochs == (0, params["epochs"])


def test_a_rate_beyond_float32_fails_without_a_warning(engine):
    failed, complete = train_pack(engine(), [make_params(1e39, 3), make_params(1.0, 3)])
    assert (failed.state, failed.error) == ("FAIL", "loss is not finite at epoch 1")
    assert complete.state == "COMPLETE"


def test_what_the_heartbeat_raises_ends_the_training(engine):
    beats = iter([None, None])

    def heartbeat():
        if next(beats, "stop") == "stop":
            raise InterruptedError("stop")

    threads = torch.get_num_threads()
    with pytest.raises(InterruptedError, match="stop"):
        train_pack(engine(), [make_params(epochs=10**6)], 5, heartbeat=heartbeat)
    assert torch.get_num_threads() == threads
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("log_every", [10, 1500, 10**9])
def test_the_heart_beats_at_least_every_thousand_epochs(engine, log_every):
    beats = []
    train_pack(engine(), [make_params(epochs=3500)], log_every, heartbeat=lambda: beats.append(0))
    assert len(beats) >= 4


@pytest.mark.parametrize("threads", [1, 2])
def test_pytorch_trains_a_pack_by_one_thread_and_its_thread_count_is_restored(eager, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    seen = []
    try:
        train_pack(
            eager(),
            [make_params(epochs=1)],
            heartbeat=lambda: seen.append(torch.get_num_threads()),
        )
        assert torch.get_num_threads() == threads
        assert set(seen) == {1}
    finally:
        torch.set_num_threads(before)


def test_the_global_generator_is_left_alone(engine):
    before = torch.get_rng_state()
    train_pack(engine(), [make_params(epochs=3)])
    assert torch.equal(torch.get_rng_state(), before)


def test_durations_share_the_pack_s_time_by_epochs(engine):
    short, long = train_pack(engine(), [make_params(epochs=10), make_params(epochs=30)])
    assert short.duration_s > 0
    assert long.duration_s == pytest.approx(3 * short.duration_s)
    assert short.worker == long.worker


def test_outcomes_are_plain_numbers_for_other_processes_and_files(engine):
    outcome = train_pack(engine(), [make_params(epochs=7)], 3)[0]
    numbers = [*outcome.scores.row, *outcome.curve.series["training"]]
    numbers += outcome.curve.series["validation"]
    assert {type(number) for number in numbers} == {float}
    assert outcome.weights.layout == LAYOUT
    assert type(outcome.weights.content) is bytes
    assert len(outcome.weights.numbers()) == 9
    assert {type(epoch) for epoch in outcome.curve.epochs} == {int}


def test_auto_takes_the_device_that_pytorch_finds():
    available = "cuda" if torch.cuda.is_available() else "cpu"
    assert usable_device("auto") == available
    assert usable_device("cpu") == "cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused_with_a_remedy():
    with pytest.raises(UsageError, match="Use device='cpu'"):
        usable_device("cuda")


@pytest.mark.parametrize("epochs", [60, 61])
def test_a_loss_that_is_infinite_in_between_fails_too(engine, epochs):
    params = [make_params(3e38, epochs, seed, "bce_with_logits") for seed in range(60)]
    outcomes = train_pack(engine(), params, 1)
    failed = [outcome.state == "FAIL" for outcome in outcomes]
    infinite = [first_lost(outcome.curve) is not None for outcome in outcomes]
    assert failed == infinite
    assert sum(failed) == 39


@pytest.mark.parametrize("data", ["xor", "lab"])
def test_the_epoch_of_a_failure_is_the_first_of_the_curve_that_is_not_finite(engine, data):
    """A curve of the same engine: the two need not lose a trial at the same epoch."""
    params = [make_params(3e38, 60, seed, "bce_with_logits") for seed in range(300)]
    failed = [o for o in train_pack(engine(data), params, 1) if o.state == "FAIL"]
    assert len(failed) > 50
    for outcome in failed:
        assert outcome.error == f"loss is not finite at epoch {first_lost(outcome.curve)}"
