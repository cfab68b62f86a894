"""Modules that are perceptrons in C: as the plain loop trains them, and alike in any pack."""

import random
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.engines.mlp.test_agreement import CANCELLING, CLOSE, STABLE, far
from tests.make import lanes
from tests.modules import CLASSES, NETWORK, Made, accuracy
from xortune.engines.mlp.module_rows import why_not_in_c
from xortune.engines.mlp.perceptrons import perceptrons_at
from xortune.engines.plain.module_engine import PlainModuleEngine
from xortune.problems.module.losses import LOSSES
from xortune.problems.module.weights import set_weights
from xortune.problems.trainer_parameters import OPTIMIZERS, SCHEDULES
from xortune.trial import Lane, Outcome, Params


class _Signs(Made):
    """Two classes, as fractions without an axis."""

    def __call__(self):
        lesson = super().__call__()
        signs = {n: (getattr(lesson, n)[:, 0] > 0).float() for n in ("y", "y_validation")}
        return replace(lesson, **signs)


BINARY = _Signs(
    NETWORK.make,
    NETWORK.parameters,
    losses={"bce_with_logits": LOSSES["bce_with_logits"]},
    metrics={"right": lambda output, target: ((output[:, 0] > 0) == (target > 0)).sum()},
)
ALL = {"numbers": NETWORK, "two classes": BINARY, "classes": CLASSES}


def trials(made: Made, count: int = 12) -> list[Params]:
    """All optimizers, schedules and activations, in two widths and four depths."""
    found = []
    for i in range(count):
        optimizer = OPTIMIZERS[i % 6]
        adaptive = optimizer not in ("sgd", "momentum", "nesterov")
        losses = [name for name in made.losses if not (adaptive and name in CANCELLING)]
        own = {"loss_fn": losses[i % len(losses)]} if len(made.losses) > 1 else {}
        found.append(
            made.trial(
                width=(3, 6)[i % 2],
                depth=i % 4,
                activation=("ReLU", "Tanh", "SiLU", "Sigmoid")[i % 4],
                dropout=(0.0, 0.3)[i // 2 % 2],
                lr=STABLE.get(optimizer, 1e-3),
                optimizer=optimizer,
                schedule=SCHEDULES[i % 3],
                weight_decay=(0.0, 0.01)[i // 3 % 2],
                batch_size=(8, 7, 32)[i // 4 % 3],
                seed=i * 77,
                **own,
            )
        )
    return found


def bits(outcome: Outcome) -> str:
    return repr(replace(outcome, duration_s=None, worker=None))


def nudged(made: Made) -> PlainModuleEngine:
    """The plain engine for rows whose inputs differ in their last bit."""
    lesson = made()
    x = torch.from_numpy(np.nextafter(lesson.x.numpy(), np.float32(np.inf)))
    engine = made.plain()
    engine._load = lambda: replace(lesson, x=x)
    return engine


@pytest.mark.parametrize("name", ALL)
def test_weights_curves_and_scores_are_close_to_those_of_the_plain_loop(name):
    made = ALL[name]
    params = trials(made)
    engines = made.mlp(), made.plain(), nudged(made)
    for values, one, other, another in zip(
        params, *(engine.open("cpu").train(lanes(params), 1) for engine in engines)
    ):
        assert one.state == other.state == "COMPLETE", one.error
        assert one.weights.layout == other.weights.layout
        assert one.curve.epochs == other.curve.epochs
        bests = {outcome.scores["best_epoch"] for outcome in (one, other, another)}
        if len(bests) == 1:
            bound = max(CLOSE, 10 * far(another, other))
            assert far(one, other) < bound, values
            assert [*one.scores.row] == pytest.approx([*other.scores.row], 10 * bound, bound)


@pytest.mark.parametrize("name", ALL)
def test_initial_weights_are_exactly_those_of_the_module(name):
    made = ALL[name]
    params = trials(made)
    pairs = zip(
        *(e.open("cpu").train(lanes(params), 1, until=0) for e in (made.mlp(), made.plain()))
    )
    for one, other in pairs:
        assert one.weights == other.weights


def own_weights(width: int, activation: str, dropout: float, depth: int) -> nn.Module:
    made = NETWORK.make(width, activation, dropout, depth)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.5)
    return made


def test_any_initial_weights_of_the_users_are_taken():
    made = replace(NETWORK, make=own_weights)
    params = [made.trial(seed=seed, lr=1e-3, optimizer="sgd") for seed in range(3)]
    engines = [engine.open("cpu") for engine in (made.mlp(), made.plain())]
    for one, other in zip(*(engine.train(lanes(params), 1, until=0) for engine in engines)):
        assert one.weights == other.weights
    for one, other in zip(*(engine.train(lanes(params), 1) for engine in engines)):
        assert far(one, other) < CLOSE


def test_without_learning_the_losses_tell_that_the_order_of_rows_is_exactly_the_same():
    """Each batch then has its own loss, and only the sum of whole epochs would hide an order."""
    made = replace(NETWORK, rows=21)
    still = {"lr": 1e-38, "optimizer": "sgd", "batch_size": 20, "epochs": 5}
    params = [made.trial(seed=seed, **still) for seed in (0, 1, 2**32 - 1)]
    for one, other in zip(
        *(e.open("cpu").train(lanes(params), 1) for e in (made.mlp(), made.plain()))
    ):
        # A batch of one row beside one of twenty: the mean of both depends on which row it is.
        found, expected = one.curve.series["training"], other.curve.series["training"]
        assert found == pytest.approx(expected, rel=1e-6)
        assert len({*found}) == len(found)


def test_metrics_are_those_of_what_pytorch_computes_with_the_weights_of_the_lane():
    params = trials(CLASSES, 7)
    lesson = CLASSES()
    for values, outcome in zip(params, CLASSES.mlp().open("cpu").train(lanes(params), None)):
        module = lesson.build(values)
        set_weights(module, outcome.weights)
        with torch.no_grad():
            outputs = module.eval()(lesson.x_validation)
        assert outcome.scores["accuracy"] == accuracy(outputs, lesson.y_validation)
        loss = float(F.cross_entropy(outputs, lesson.y_validation))
        assert outcome.scores["cross_entropy"] == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("size", [1, 2, 7, 64, 201])
def test_a_lane_has_the_same_bits_in_packs_of_any_size_with_a_diverging_one(size):
    params = [
        replace_values(one, seed=i, epochs=1 + i % 3) for i, one in enumerate(trials(NETWORK, 201))
    ]
    params[100] = NETWORK.trial(lr=3e38, epochs=3, optimizer="sgd")
    trainer = NETWORK.mlp().open("cpu")
    some = {*range(95, 106), 0, 200}  # whose bits are compared
    alone = {i: bits(trainer.train(lanes([params[i]]), 1)[0]) for i in some}
    order = [*range(201)]
    random.Random(size).shuffle(order)
    found = {}
    for start in range(0, 201, size):
        pack = order[start : start + size]
        if some & {*pack}:
            found |= dict(zip(pack, map(bits, trainer.train(lanes([params[i] for i in pack]), 1))))
    assert {i: found[i] for i in some} == alone
    assert "loss is not finite" in alone[100]


def replace_values(params: Params, **values) -> Params:
    return NETWORK.spec.assignment({**params, **values})


def odd(width: int, activation: str, dropout: float, depth: int) -> nn.Module:
    if width == 9:
        raise ValueError("no such width")
    made = NETWORK.make(width, activation, dropout, depth)
    return made if width < 9 else nn.Sequential(made, nn.LayerNorm(1))


def test_a_lane_that_is_no_perceptron_fails_alone_with_the_remedy():
    made = replace(NETWORK, make=odd)
    params = [made.trial(width=width) for width in (3, 9, 10, 4)]
    good, raising, other, last = made.mlp().open("cpu").train(lanes(params), 1)
    assert (good.state, last.state) == ("COMPLETE", "COMPLETE")
    assert (raising.state, raising.error) == ("FAIL", "ValueError: no such width")
    assert other.state == "FAIL"
    assert other.error == (
        "the model is no perceptron, though it was one where it was looked at before the search: "
        "search with --engine stacked"
    )
    assert bits(good) == bits(NETWORK.mlp().open("cpu").train(lanes([params[0]]), 1)[0])


def failing(output, target):
    raise RuntimeError("no metric today")


def drawing(output, target):
    return torch.rand(())


def test_a_metric_that_fails_is_the_failure_of_its_trial():
    made = replace(NETWORK, metrics={"failing": failing})
    engines = made.mlp(), made.plain()
    one, other = (e.open("cpu").train(lanes([made.trial()]), 1)[0] for e in engines)
    assert one.state == other.state == "FAIL"
    assert one.error == other.error == "RuntimeError: no metric today"


def test_a_metric_that_draws_has_the_same_draws_in_any_pack():
    made = replace(NETWORK, metrics={"drawing": drawing})
    trainer, params = made.mlp().open("cpu"), [made.trial(seed=seed) for seed in range(3)]
    together = trainer.train(lanes(params), 1)
    for one, values in zip(together, params):
        (alone,) = trainer.train(lanes([values]), 1)
        (plain,) = made.plain().open("cpu").train(lanes([values]), 1)
        assert one.scores["drawing"] == alone.scores["drawing"] == plain.scores["drawing"]
    assert len({one.scores["drawing"] for one in together}) == 3


UNFIT = {
    "own": (
        {"losses": {"mse": lambda output, target: F.mse_loss(output, target)}},
        "the loss mse is a function of your own",
    ),
    "kinds": (
        {"losses": {n: LOSSES[n] for n in ("mse", "bce_with_logits")}},
        "the losses mse and bce_with_logits are of different kinds",
    ),
    "shares": (
        {"losses": {"bce_with_logits": LOSSES["bce_with_logits"]}},
        "its targets are neither 0 nor 1",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_why_a_lesson_is_not_for_c(name):
    changed, words = UNFIT[name]
    made = replace(NETWORK, **changed)
    assert why_not_in_c(made()) == words
    assert perceptrons_at(made(), [made.trial()]).why_not == words


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x": torch.ones(20, 3, dtype=torch.int64)}, "its inputs are whole numbers"),
        ({"y": torch.ones(20, 2)}, "a row has several targets"),
    ],
)
def test_why_rows_are_not_for_c(changed, words):
    assert why_not_in_c(replace(NETWORK(), **changed)) == words


def test_classes_are_counted_from_0_and_have_an_output_each():
    lesson = CLASSES()
    assert why_not_in_c(replace(lesson, y=lesson.y - 100)) == "its targets are no classes from 0 on"
    assert not why_not_in_c(lesson)
    few = replace(CLASSES, make=partial(NETWORK.make, outputs=2))
    assert perceptrons_at(few(), [few.trial()]).why_not.startswith("the model is no perceptron")


def test_a_perceptron_is_looked_at_with_its_cost_and_its_largest_size():
    points = [NETWORK.trial(width=width, depth=2) for width in (3, 20)]
    found = perceptrons_at(NETWORK(), points)
    assert (found.why_not, found.weights) == ("", 3 * 20 + 20 + 20 * 20 + 20 + 20 + 1)
    assert [one["width"] for one in found.typical] == [3, 20]
    assert found.typical[0]["activation"] == "relu"
    assert (found.cost.inputs, found.cost.rows, found.cost.measured) == (3, 20, 10)


def narrow(params) -> nn.Module:
    return nn.Sequential(nn.Linear(2, params["width"]), nn.Tanh(), nn.Linear(params["width"], 1))


class _Folded(Made):
    """The rows of its second fold have a column less."""

    def __call__(self):
        lesson = super().__call__()
        columns = {name: getattr(lesson, name)[:, :2].clone() for name in ("x", "x_validation")}
        return replace(lesson, folds=(lesson, replace(lesson, build=narrow, **columns)))


def test_folds_may_have_other_columns():
    made = _Folded(NETWORK.make, NETWORK.parameters, losses={"mse": LOSSES["mse"]})
    params = made.trial(lr=1e-3)
    pack = [Lane(params, number=k, fold=k % 2) for k in range(4)]
    both = (
        engine.open("cpu").train(pack, 1) for engine in (made.mlp(folds=2), made.plain(folds=2))
    )
    for one, other in zip(*both):
        assert one.state == "COMPLETE", one.error
        assert one.weights.layout == other.weights.layout
        assert far(one, other) < CLOSE
