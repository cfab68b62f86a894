"""The compiled engine against the plain one: the same trials, on the same rows."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.make import lanes
from tests.tables import TARGETS, make_engine, make_mlp, make_rows, make_spec, make_trial
from xortune.engines.engine import Engine
from xortune.engines.mlp.block import Block
from xortune.engines.mlp.trainer import MlpTrainer
from xortune.engines.plain.engine import PlainEngine
from xortune.problems.table.model import seeded_model
from xortune.problems.table.rows import TASKS, Fold, Rows, Task
from xortune.problems.table.spec import ACTIVATIONS, LOSS_FNS, OPTIMIZERS, SCHEDULES
from xortune.trial import Outcome, Params

CLOSE = 1e-5
# Rates at which a change in the last bit mostly stays one for three epochs. RMSprop's first steps
# are ten times its rate, however small the gradient and however much of it is rounding.
STABLE = {"sgd": 0.02, "momentum": 0.01, "nesterov": 0.01, "rmsprop": 1e-4}
# Losses whose gradients may be a sum of equal signs, which cancels but for its rounding: one that
# an adaptive optimizer makes a whole step of.
CANCELLING = ("mae", "huber")
VALUES = {
    "width": st.integers(1, 40),
    "depth": st.integers(0, 4),
    "activation": st.sampled_from(ACTIVATIONS),
    "dropout": st.sampled_from((0.0, 0.3)),
    "batch_size": st.integers(1, 90),
    "seed": st.integers(0, 2**32 - 1),
    "weight_decay": st.sampled_from((0.0, 0.01)),
    "schedule": st.sampled_from(SCHEDULES),
}


def trial(draw, task: Task) -> Params:
    optimizer = draw(st.sampled_from(OPTIMIZERS))
    values = draw(st.fixed_dictionaries(VALUES))
    adaptive = optimizer not in ("sgd", "momentum", "nesterov")
    losses = [name for name in LOSS_FNS[task] if not (adaptive and name in CANCELLING)]
    loss_fn = draw(st.sampled_from(losses))
    rate = STABLE.get(optimizer, 1e-3)
    return make_trial(task, **values, optimizer=optimizer, lr=rate, loss_fn=loss_fn)


def train(engine: Engine, trials: list[Params]) -> list[Outcome]:
    return engine.open("cpu").train(lanes(trials), 1)


def far(one: Outcome, other: Outcome) -> float:
    """The largest difference of two trials' weights and curves."""
    pairs = [(one.weights.numbers(), other.weights.numbers())]
    pairs += [(one.curve.series[name], other.curve.series[name]) for name in one.curve.series]
    return max(float(np.abs(np.array(a) - np.array(b)).max()) for a, b in pairs)


def nudged(engine: PlainEngine) -> PlainEngine:
    """The engine for training rows whose inputs differ in their last bit."""
    training, validation, target = engine._rows
    x = np.nextafter(training.x, np.float32(np.inf))
    return PlainEngine(Rows(x, training.y), validation, target, engine.spec)


@given(data=st.data(), task=st.sampled_from(TASKS))
@settings(max_examples=25, deadline=None)
def test_weights_and_losses_are_close_after_three_epochs_of_any_trials(data, task):
    """As close as the plain loop is to itself where that is not stable."""
    trials = [trial(data.draw, task) for _ in range(data.draw(st.integers(1, 5)))]
    count = data.draw(st.integers(4, 80))
    plain = make_engine(task, count)
    outcomes = (train(e, trials) for e in (make_mlp(task, count), plain, nudged(plain)))
    losses = [m.name for m in make_spec(task).metrics if m.kind == "loss"]
    for params, one, other, another in zip(trials, *outcomes):
        assert (one.state, one.curve.epochs) == (other.state, other.curve.epochs), params
        bests = {outcome.scores["best_epoch"] for outcome in (one, other, another)}
        if len(bests) == 1:
            bound = max(CLOSE, 10 * far(another, other))
            assert far(one, other) < bound, params
            for name in losses:
                assert one.scores[name] == pytest.approx(other.scores[name], 10 * bound, bound)


@pytest.mark.parametrize("inputs", [1, 2, 4, 5, 7, 8, 16, 31])
def test_rows_of_any_number_of_inputs_are_gathered_with_their_targets(inputs):
    trials = [make_trial(seed=seed, batch_size=40) for seed in range(17)]
    found = train(make_mlp(count=90, inputs=inputs), trials)
    for one, other in zip(found, train(make_engine(count=90, inputs=inputs), trials)):
        assert far(one, other) < CLOSE


@pytest.mark.parametrize("task", TASKS)
def test_the_metrics_are_those_of_the_same_weights(task):
    params = make_trial(task, epochs=20, lr=0.02)
    (outcome,) = train(make_mlp(task, 60), [params])
    (other,) = train(make_engine(task, 60), [params])
    assert [*outcome.scores] == [*other.scores]
    assert [*outcome.scores.row] == pytest.approx([*other.scores.row], rel=1e-3)


def test_the_final_loss_of_the_best_epoch_is_that_of_the_curve():
    for task in TASKS:
        (outcome,) = train(make_mlp(task), [make_trial(task, epochs=30, lr=0.05)])
        losses = outcome.curve.series["validation"]
        assert outcome.scores[make_spec(task).loss] == min(losses[1:])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("count", [1, 3])
def test_units_far_from_zero_have_the_values_that_they_have_there(functions, activation, count):
    """Both in a block and alone; a tanh of less than -44 was once NaN."""
    rows = make_rows("regression")
    rows = Rows(rows.x * np.float32(400), rows.y)
    fold = Fold(rows, rows, TARGETS["regression"])
    spec = make_spec()
    trials = [
        make_trial(activation=activation, seed=seed, lr=1e-6, optimizer="sgd", epochs=2, width=40)
        for seed in range(count)
    ]
    found = MlpTrainer(fold, (), spec, functions).train(lanes(trials), 1)
    for one, other in zip(found, train(PlainEngine(*fold, spec), trials)):
        assert one.state == other.state == "COMPLETE", one.error
        assert [*one.scores.row] == pytest.approx([*other.scores.row], rel=1e-4)


@pytest.mark.parametrize("patience", [1, 3])
def test_early_stopping_ends_a_trial_at_the_same_epoch(patience):
    params = make_trial(epochs=60, lr=0.1, early_stopping=patience)
    (one,), (other,) = train(make_mlp(), [params]), train(make_engine(), [params])
    assert one.curve.epochs == other.curve.epochs
    assert one.scores["best_epoch"] == other.scores["best_epoch"]


@pytest.mark.parametrize("task", TASKS)
def test_a_trial_that_diverges_fails_as_it_does_there(task):
    params = make_trial(task, lr=3e38, optimizer="sgd", epochs=50)
    (one,), (other,) = train(make_mlp(task), [params]), train(make_engine(task), [params])
    assert (one.state, one.error) == (other.state, other.error)


@given(
    inputs=st.integers(1, 9),
    width=st.integers(1, 70),
    depth=st.integers(0, 4),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=30, deadline=None)
def test_initial_weights_are_exactly_those_of_the_model(functions, inputs, width, depth, seed):
    params = make_trial("classes", width=width, depth=depth, seed=seed)
    outputs = TARGETS["classes"].outputs
    model = seeded_model(inputs, outputs, params)
    expected = torch.cat([p.detach().flatten() for p in model.parameters()])
    rows = Rows(np.zeros((2, inputs), np.float32), np.array([0, 1]))
    wide = {**params, "width": width + 3, "depth": depth + 1 if depth else 0, "seed": 0}
    # In a block of its own size, and in one that is wider and deeper.
    for lanes_ in ([dict(params)], [wide, dict(params)]):
        block = Block(lanes_, Fold(rows, rows, TARGETS["classes"]), "log_loss", functions)
        block.begin(range(len(lanes_)))
        for name in ("weights", "best"):
            found = torch.from_numpy(block.numbers(len(lanes_) - 1, name))
            assert torch.equal(found, expected)
