"""A lane in a stack trains as the plain loop trains it alone."""

import math
from dataclasses import replace

import pytest
import torch

from tests.engines.stacked import nets
from tests.make import lanes
from tests.modules import CONVOLUTION, MIXED, PERCEPTRON, RECURRENT, Made
from xortune.engines.stacked.bucket import Bucket
from xortune.engines.stacked.padding import Padding
from xortune.problems.trainer_parameters import OPTIMIZERS, SCHEDULES
from xortune.trial import Lane, Outcome, Params

MADE = pytest.mark.parametrize(
    "made",
    [
        *(PERCEPTRON, MIXED, CONVOLUTION, RECURRENT),
        pytest.param(nets.made(nets.Everything, nets.STEPS), marks=pytest.mark.long),
    ],
    ids=lambda made: made.make.__name__,
)


def trials(made: Made, **values) -> list[Params]:
    """Two trials with each optimizer, which differ in all that a stack keeps apart."""
    varied = []
    for place in range(2 * len(OPTIMIZERS)):
        own = {
            "optimizer": OPTIMIZERS[place // 2],
            "seed": place,
            "lr": (0.002, 0.01)[place % 2],
            "weight_decay": (0.0, 0.05)[place % 2],
            "schedule": SCHEDULES[place % len(SCHEDULES)],
            "epochs": 2 + place % 2,
            "width": (3, 5)[place // 6],
            "dropout": 0.2 * (place % 3),
            **values,
        }
        varied.append(made.spec.assignment({"batch_size": 8} | own_of(made, own)))
    return varied


def own_of(made: Made, values: dict) -> dict:
    return {name: value for name, value in values.items() if name in made.spec.names}


def both(made: Made, params: list[Params], **how) -> list[tuple[Outcome, Outcome]]:
    return [*zip(*(
        engine.open("cpu").train(lanes(params), 1, **how)
        for engine in (made.plain(), made.stacked(Padding()))
    ))]  # fmt: skip


@MADE
def test_curves_scores_and_weights_are_those_of_the_plain_loop(made):
    for plain, stacked in both(made, trials(made)):
        assert plain.state == stacked.state == "COMPLETE", stacked.error
        assert stacked.weights.layout == plain.weights.layout
        assert stacked.weights.numbers() == pytest.approx(plain.weights.numbers(), abs=1e-5)
        assert stacked.scores.row == pytest.approx(plain.scores.row, rel=1e-5, abs=1e-6)
        assert stacked.curve.epochs == plain.curve.epochs
        for name, series in plain.curve.series.items():
            assert stacked.curve.series[name] == pytest.approx(series, rel=1e-5, abs=1e-6)


@MADE
def test_initial_weights_are_exactly_those_of_the_plain_loop(made):
    for plain, stacked in both(made, trials(made), until=0):
        assert stacked.weights == plain.weights
        assert stacked.paused.arrays["weights"] == plain.paused.arrays["weights"]


def test_initial_weights_are_those_after_manual_seed():
    params = PERCEPTRON.trial(seed=17)
    (outcome,) = PERCEPTRON.stacked(Padding()).open("cpu").train(lanes([params]), 1, until=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(17)
        module = PERCEPTRON().build(params)
    flat = torch.cat([p.detach().flatten() for p in module.parameters()])
    assert outcome.weights.numbers() == tuple(flat.tolist())


def test_without_learning_the_losses_tell_that_the_order_of_rows_is_exactly_the_same():
    """Each batch then has its own loss, whatever came before it."""
    made = replace(PERCEPTRON, rows=21)
    params = [made.trial(seed=seed, lr=1e-38, optimizer="sgd", batch_size=1) for seed in range(4)]
    seen = []
    original = made.losses["mse"]

    def watched(output, target):
        if output.shape[0] == 1 and not torch._C._functorch.is_batchedtensor(target):
            seen.append(float(target))
        return original(output, target)

    watching = replace(made, losses={"mse": watched, "mae": watched})
    watching.plain().open("cpu").train(lanes(params), 1)
    y = made().y.flatten()
    steps = iter(seen)
    for one in params:
        order = torch.Generator().manual_seed(one["seed"])
        for _ in range(one["epochs"]):
            expected = y[torch.randperm(len(y), generator=order)].tolist()
            assert [next(steps) for _ in expected] == expected
    for plain, stacked in both(made, params):
        assert stacked.curve.series["training"] == pytest.approx(
            plain.curve.series["training"], rel=1e-6
        )


def test_early_stopping_and_the_best_epoch_are_those_of_the_plain_loop():
    params = trials(PERCEPTRON, epochs=40, early_stopping=3, lr=0.05, dropout=0.0)
    ended = set()
    for plain, stacked in both(PERCEPTRON, params):
        assert stacked.curve.epochs == plain.curve.epochs
        assert stacked.scores["best_epoch"] == plain.scores["best_epoch"]
        ended.add(stacked.curve.epochs[-1])
        validation = stacked.curve.series["validation"]
        assert stacked.scores["mse"] == min(validation[1:])
    assert len(ended) > 2


def test_a_lane_that_diverges_fails_with_its_epoch_and_its_neighbours_do_not():
    params = trials(PERCEPTRON, dropout=0.0)
    params[3] = PERCEPTRON.trial(lr=3e38, optimizer="sgd", epochs=9)
    found = both(PERCEPTRON, params)
    plain, stacked = found[3]
    assert (stacked.state, stacked.error) == (plain.state, plain.error)
    assert stacked.error.startswith("loss is not finite at epoch ")
    assert not all(map(math.isfinite, (stacked.curve.series["validation"])))
    assert {outcome.state for pair in found[:3] + found[4:] for outcome in pair} == {"COMPLETE"}


def test_a_lane_trains_on_the_rows_of_its_fold():
    params = PERCEPTRON.trial(width=5)
    packs = []
    for engine in (PERCEPTRON.plain(folds=3), PERCEPTRON.stacked(Padding(), folds=3)):
        some = [Lane(params, fold=fold) for fold in (0, 1, 2, 1)]
        packs.append(engine.open("cpu").train(some, 1))
    plain, stacked = ([outcome.scores["mse"] for outcome in pack] for pack in packs)
    assert stacked == pytest.approx(plain, rel=1e-5)
    assert len({*stacked}) == 3


@pytest.mark.parametrize("made", [PERCEPTRON, MIXED], ids=lambda made: made.make.__name__)
def test_a_trial_that_paused_in_the_plain_loop_continues_in_a_stack(made):
    params = trials(made, epochs=5)
    paused = made.plain().open("cpu").train(lanes(params), 1, until=2)
    continued = lanes(params, paused=[outcome.paused for outcome in paused])
    found = made.stacked(Padding()).open("cpu").train(continued, 1)
    for stacked, plain in zip(found, made.plain().open("cpu").train(lanes(params), 1)):
        assert stacked.weights.numbers() == pytest.approx(plain.weights.numbers(), abs=1e-5)
        assert stacked.scores.row == pytest.approx(plain.scores.row, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("made", [MIXED, CONVOLUTION], ids=lambda made: made.make.__name__)
def test_a_stack_is_measured_in_parts_of_lanes_and_of_rows_without_any_effect(made, monkeypatch):
    whole = both(made, trials(made))
    monkeypatch.setattr("xortune.engines.plain.module._MOST_NUMBERS", 120)
    in_parts = both(made, trials(made))
    parts = Padding().parts(12, 120 // 36)
    assert len(parts) > 2
    for (plain, stacked), outcomes in zip(in_parts, whole):
        for outcome in (plain, stacked):
            assert outcome.scores.row == pytest.approx(outcomes[0].scores.row, rel=1e-5, abs=1e-6)
            for name, series in outcomes[0].curve.series.items():
                assert outcome.curve.series[name] == pytest.approx(series, rel=1e-5, abs=1e-6)


def test_more_lanes_than_fit_into_memory_are_trained_in_several_stacks(monkeypatch):
    params = trials(MIXED)
    trainer = MIXED.stacked().open("cpu")
    expected = [replace(one, duration_s=None) for one in trainer.train(lanes(params), 1)]
    sizes = []
    monkeypatch.setattr("xortune.engines.stacked.form._MOST_NUMBERS", 1)
    monkeypatch.setattr(
        "xortune.engines.stacked.trainer.Bucket",
        lambda form, members, *how: sizes.append(len(members)) or Bucket(form, members, *how),
    )
    found = MIXED.stacked(Padding(3, 3)).open("cpu").train(lanes(params), 1)
    assert max(sizes) <= 3
    for one, other in zip(found, expected):
        assert one.scores.row == pytest.approx(other.scores.row, rel=1e-5, abs=1e-6)


def test_shares_of_the_time_are_those_of_epochs():
    params = [PERCEPTRON.trial(epochs=epochs) for epochs in (1, 5)]
    short, long = PERCEPTRON.stacked(Padding()).open("cpu").train(lanes(params), 1)
    assert long.duration_s / short.duration_s == pytest.approx(3)  # An epoch more for each.


def test_a_word_that_stands_for_nothing_is_learnt_in_no_lane():
    made = nets.made(nets.PaddedWords)
    params = [made.trial(seed=seed, epochs=2) for seed in range(3)]
    for plain, stacked in both(made, params):
        assert plain.weights is not None
        assert stacked.weights is not None
        found = torch.frombuffer(bytearray(stacked.weights.content), dtype=torch.float32)
        expected = torch.frombuffer(bytearray(plain.weights.content), dtype=torch.float32)
        assert torch.allclose(found, expected, atol=1e-5, rtol=0)
