"""The plain engine against the loop that PyTorch's users write."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn, optim

from tests.make import lanes
from tests.problems.table.test_model import stock_model
from tests.tables import TARGETS, make_engine, make_rows, make_spec, make_trial
from xortune.engines.plain.dropout import Dropout
from xortune.engines.plain.engine import PlainEngine
from xortune.engines.plain.optimizers import rate
from xortune.problems.table.measures import loss_of, measured
from xortune.problems.table.model import trained_model
from xortune.problems.table.rows import TASKS, Rows
from xortune.problems.table.spec import ACTIVATIONS, LOSS_FNS, OPTIMIZERS, SCHEDULES
from xortune.trial import Outcome, Params

LOSSES = {
    "mse": nn.MSELoss(),
    "mae": nn.L1Loss(),
    "huber": nn.HuberLoss(),
    "bce_with_logits": nn.BCEWithLogitsLoss(),
    "cross_entropy": nn.CrossEntropyLoss(),
}
OPTIMS = {
    "sgd": lambda p, **how: optim.SGD(p, **how),
    "momentum": lambda p, **how: optim.SGD(p, momentum=0.9, **how),
    "nesterov": lambda p, **how: optim.SGD(p, momentum=0.9, nesterov=True, **how),
    "rmsprop": lambda p, **how: optim.RMSprop(p, **how),
    "adam": lambda p, **how: optim.Adam(p, **how),
    "adamw": lambda p, **how: optim.AdamW(p, **how),
}
VALUES = {
    "width": st.integers(1, 9),
    "depth": st.integers(0, 3),
    "activation": st.sampled_from(ACTIVATIONS),
    "dropout": st.sampled_from((0.0, 0.3)),
    "lr": st.sampled_from((0.001, 0.02)),
    "batch_size": st.integers(1, 40),
    "epochs": st.integers(1, 5),
    "seed": st.integers(0, 2**32 - 1),
    "optimizer": st.sampled_from(OPTIMIZERS),
    "weight_decay": st.sampled_from((0.0, 0.01)),
    "schedule": st.sampled_from(SCHEDULES),
}


def train(engine: PlainEngine, params: Params, log_every: int | None = 1) -> Outcome:
    return engine.open("cpu").train(lanes([params]), log_every)[0]


def hidden(model: nn.Sequential, x: torch.Tensor, factors: torch.Tensor | None) -> torch.Tensor:
    """The outputs with dropout after each activation."""
    layer = 0
    for part in model:
        x = part(x)
        if not isinstance(part, nn.Linear) and factors is not None:
            x = x * factors[layer]
            layer += 1
    return x


def in_the_usual_way(task, params: Params) -> tuple[list[float], list[float], list[torch.Tensor]]:
    """The curves of a plain loop over `make_engine`'s rows, and the weights of its best epoch."""
    rows, other = make_rows(task), make_rows(task, 15, seed=1)
    with torch.random.fork_rng(devices=[]):
        model = stock_model(3, TARGETS[task].outputs, params)
    how = {"lr": params["lr"], "weight_decay": params["weight_decay"]}
    optimizer = OPTIMS[params["optimizer"]](model.parameters(), **how)
    loss_fn, generator = LOSSES[params["loss_fn"]], torch.Generator().manual_seed(params["seed"])
    x, y = torch.from_numpy(rows.x), torch.from_numpy(rows.y)
    dropout = None
    if params["dropout"] and params["depth"]:
        shape = (params["depth"], params["width"], 40)
        dropout = Dropout(params["seed"], params["dropout"], *shape)
    training, validation, step, best = [], [], 0, []
    for epoch in range(params["epochs"]):
        for group in optimizer.param_groups:
            group["lr"] = rate(params, epoch)
        losses = []
        for places in torch.randperm(len(x), generator=generator).split(params["batch_size"]):
            factors = dropout.factors(step, len(places)) if dropout else None
            outputs = hidden(model, x[places], factors)
            loss = loss_fn(outputs if task == "classes" else outputs.squeeze(1), y[places])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            step += 1
        training.append(sum(losses) / len(losses))
        with torch.no_grad():
            outputs = model(torch.from_numpy(other.x)).numpy()
        validation.append(loss_of(make_spec(task).loss, outputs, other.y))
        if validation[-1] == min(validation):
            best = [p.detach().clone() for p in model.parameters()]
    return training, validation, best


@given(data=st.data(), task=st.sampled_from(TASKS))
@settings(max_examples=25, deadline=None)
def test_it_trains_as_the_usual_loop_does(data, task):
    loss_fn = st.sampled_from(LOSS_FNS[task])
    values = data.draw(st.fixed_dictionaries({**VALUES, "loss_fn": loss_fn}))
    params = make_trial(task, **values)
    training, validation, best = in_the_usual_way(task, params)
    outcome = train(make_engine(task), params)
    curve = outcome.curve
    assert curve.epochs == tuple(range(params["epochs"] + 1))
    assert curve.series["training"][1:] == pytest.approx(training, rel=1e-4, abs=1e-6)
    assert curve.series["validation"][1:] == pytest.approx(validation, rel=1e-4, abs=1e-6)
    # Where two epochs are equally good up to rounding, either may be the best.
    found = validation[int(outcome.scores["best_epoch"]) - 1]
    assert found == pytest.approx(min(validation), rel=1e-5)
    if found == min(validation):
        flat = torch.cat([p.flatten() for p in best]).tolist()
        assert outcome.weights.numbers() == pytest.approx(flat, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_a_curve_begins_with_the_initial_weights(task):
    params = make_trial(task)
    outcome = train(make_engine(task), params)
    with torch.random.fork_rng(devices=[]):
        model = stock_model(3, TARGETS[task].outputs, params)
    rows, other = make_rows(task), make_rows(task, 15, seed=1)
    for name, data, loss in (
        ("training", rows, params["loss_fn"]),
        ("validation", other, make_spec(task).loss),
    ):
        outputs = model(torch.from_numpy(data.x)).detach().numpy()
        expected = loss_of(loss, outputs, data.y)
        assert outcome.curve.series[name][0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_the_scores_are_those_of_the_weights_of_the_best_epoch(task):
    params = make_trial(task, epochs=40, lr=0.02)
    outcome = train(make_engine(task), params)
    validation = outcome.curve.series["validation"][1:]
    best = 1 + validation.index(min(validation))
    assert 1 < best < 40
    assert outcome.scores["best_epoch"] == best
    assert outcome.scores[make_spec(task).loss] == validation[best - 1]
    model = trained_model(3, TARGETS[task].outputs, params, outcome.weights)
    rows, other = make_rows(task), make_rows(task, 15, seed=1)
    outputs, train_outputs = (
        model(torch.from_numpy(data.x)).detach().numpy() for data in (other, rows)
    )
    for name, value in measured(TARGETS[task], outputs, other.y).items():
        assert outcome.scores[name] == pytest.approx(value, rel=1e-5)
    train_loss = loss_of(params["loss_fn"], train_outputs, rows.y)
    assert outcome.scores["train_loss"] == pytest.approx(train_loss, rel=1e-5)


@pytest.mark.parametrize("patience", [1, 2, 5])
def test_early_stopping_ends_a_trial_after_as_many_epochs_without_a_better_one(patience):
    params = make_trial(epochs=60, lr=0.1)
    losses = train(make_engine(), params).curve.series["validation"]
    best, waited, ended = math.inf, 0, 0
    while waited < patience:
        ended += 1
        waited = 0 if losses[ended] < best else waited + 1
        best = min(best, losses[ended])
    assert ended < 60
    stopped = train(make_engine(), make_trial(epochs=60, lr=0.1, early_stopping=patience))
    assert stopped.state == "COMPLETE"
    assert stopped.curve.series["validation"] == losses[: ended + 1]
    assert stopped.scores["best_epoch"] == ended - patience


@pytest.mark.parametrize(("epochs", "points"), [(1, 1), (50, 50), (51, 26), (1000, 50)])
def test_a_curve_has_at_most_fifty_points_before_the_last_epoch(epochs, points):
    params = make_trial(epochs=epochs, batch_size=30, depth=0)
    curve = train(make_engine(), params, None).curve
    assert len(curve.epochs) == points + 1
    assert (curve.epochs[0], curve.epochs[-1]) == (0, epochs)
    assert train(make_engine(), params, 7).curve.epochs == (*range(0, epochs, 7), epochs)


@pytest.mark.parametrize("task", TASKS)
def test_a_trial_that_diverges_fails_with_its_epoch_and_ends_there(task):
    params = make_trial(task, lr=3e38, optimizer="sgd", epochs=50)
    outcome = train(make_engine(task), params)
    last = outcome.curve.epochs[-1]
    assert (outcome.state, outcome.error) == ("FAIL", f"loss is not finite at epoch {last}")
    assert 1 <= last < 50
    losses = [*zip(*outcome.curve.series.values())]
    assert not all(map(math.isfinite, losses[-1]))
    assert all(math.isfinite(loss) for point in losses[:-1] for loss in point)
    assert (outcome.scores, outcome.weights) == (None, None)


def one_class_on_validation(spec) -> PlainEngine:
    rows = make_rows("binary")
    other = Rows(rows.x[:5], np.ones(5, np.float32))
    return PlainEngine(rows, other, TARGETS["binary"], spec)


def test_a_score_that_has_no_value_is_missing():
    outcome = train(one_class_on_validation(make_spec("binary")), make_trial("binary"))
    assert outcome.state == "COMPLETE"
    assert math.isnan(outcome.scores["auc"])


def test_an_objective_that_has_no_value_fails():
    spec = make_spec("binary").with_objective("auc")
    outcome = train(one_class_on_validation(spec), make_trial("binary"))
    assert outcome.state == "FAIL"
    assert outcome.error == "auc has no value on these validation rows"


def test_the_best_epoch_is_that_of_the_studys_own_final_loss():
    params = make_trial(epochs=40, lr=0.1)
    spec = make_spec().with_objective("mae")
    outcome = train(make_engine(spec=spec), params)
    losses = outcome.curve.series["validation"]
    assert outcome.scores["mae"] == min(losses[1:])
    assert outcome.scores["mae"] < train(make_engine(), params).scores["mae"]


def test_a_batch_larger_than_the_table_is_the_table():
    large = train(make_engine(), make_trial(batch_size=2**31 - 1))
    equal = train(make_engine(), make_trial(batch_size=30))
    assert (large.scores, large.weights) == (equal.scores, equal.weights)


def test_rows_are_gathered_in_parts_without_any_effect(monkeypatch):
    params = make_trial(batch_size=7, dropout=0.2)
    expected = train(make_engine(), params)
    beats: list[None] = []
    monkeypatch.setattr("xortune.engines.plain.order._MOST_BATCHES", 2)
    (outcome,) = make_engine().open("cpu").train(lanes([params]), 1, lambda: beats.append(None))
    assert outcome.curve.epochs == expected.curve.epochs
    losses = zip(outcome.curve.series["training"], expected.curve.series["training"])
    assert all(one == pytest.approx(other, rel=1e-6) for one, other in losses)
    assert len(beats) >= 3 * 3


def test_the_heart_beats_at_every_step_of_a_large_model():
    beats: list[None] = []
    params = make_trial(width=300, batch_size=5, epochs=2)
    make_engine().open("cpu").train(lanes([params]), 1, lambda: beats.append(None))
    assert len(beats) >= 2 * 6


def test_dropout_spares_the_measurements():
    params = make_trial(dropout=0.9, epochs=1)
    outcome = train(make_engine(), params)
    model = trained_model(3, 1, params, outcome.weights)
    other = make_rows("regression", 15, seed=1)
    outputs = model(torch.from_numpy(other.x)).detach().numpy()
    assert outcome.scores["mse"] == pytest.approx(loss_of("mse", outputs, other.y), rel=1e-5)
