"""The metrics that C counts are those of measures.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.make import lanes
from tests.tables import make_rows, make_spec, make_trial
from xortune.engines.mlp.block import Block
from xortune.engines.mlp.native.library import LANES, CFunctions
from xortune.engines.mlp.trainer import MlpTrainer
from xortune.problems.table.measures import measured
from xortune.problems.table.rows import TASKS, Fold, Rows, Target, Task

EXACT = ("accuracy", "auc", "balanced_accuracy")
INPUTS = 2


def target_of(task: Task, classes: int) -> Target:
    names = {"regression": 0, "binary": 2, "classes": classes}[task]
    return Target(task, tuple(map(str, range(names))), mean=1.0, scale=3.0)


def compare(functions: CFunctions, target: Target, x, y, weights) -> None:
    """Compares the metrics of linear models, of weights (LANES, outputs, INPUTS + 1)."""
    y = y.astype(np.int64 if target.task == "classes" else np.float32)
    training = Rows(np.zeros((3, INPUTS), np.float32), np.zeros(3, y.dtype))
    params = dict(make_trial(target.task, depth=0))
    fold = Fold(training, Rows(x, y), target)
    block = Block([params] * LANES, fold, make_spec(target.task).loss, functions)
    numbers = np.concatenate((weights[:, :, :-1].reshape(LANES, -1), weights[:, :, -1]), axis=1)
    block._numbers["best"][:] = numbers.T
    found = block.scored(range(LANES), lambda: None)
    with np.errstate(all="ignore"):
        columns = x[:, np.newaxis, np.newaxis] * weights[:, :, :-1]
        outputs = columns.sum(axis=3, dtype=np.float32) + weights[:, :, -1]
    for lane in range(LANES):
        expected = measured(target, outputs[:, lane], y)
        assert [*found] == ["train_loss", *expected]
        for name, value in expected.items():
            close = pytest.approx(value, rel=1e-12, abs=1e-12, nan_ok=True)
            assert found[name][lane] == (value if value == value and name in EXACT else close)


@given(data=st.data(), task=st.sampled_from(TASKS), classes=st.sampled_from((2, 3, 5)))
@settings(max_examples=150, deadline=None)
def test_any_outputs_have_the_metrics_of_the_oracle(functions, data, task, classes):
    target = target_of(task, classes)
    # Small whole numbers, so that many outputs are equal, and exact.
    small = st.integers(-3, 3)
    rows = data.draw(st.integers(0, 40))
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    x = draw.integers(-3, 4, (rows, INPUTS)).astype(np.float32)
    weights = draw.integers(-3, 4, (LANES, target.outputs, INPUTS + 1)).astype(np.float32)
    # In some lanes outputs that are huge or infinite, or NaN where the input is 0.
    weights[:4, 0, 0] = data.draw(st.sampled_from((np.inf, -np.inf, 2.0**126)))
    weights[2, -1, 0] = data.draw(st.one_of(small, st.just(np.inf)))
    most = data.draw(st.integers(0, max(classes, 2) - 1)) if task == "classes" else 1
    least = data.draw(st.integers(0, most))
    y = draw.integers(least, most + 1, rows)
    compare(functions, target, x, y, weights)


@pytest.mark.parametrize("classes", [2, 3, 9, 150])
def test_many_classes_and_rows(functions, classes):
    draw = np.random.default_rng(classes)
    x = draw.integers(-9, 10, (3001, INPUTS)).astype(np.float32)
    target = target_of("classes", classes)
    weights = draw.integers(-9, 10, (LANES, classes, INPUTS + 1)).astype(np.float32)
    # Some classes have no rows.
    compare(functions, target, x, draw.integers(1, classes, 3001), weights)


@pytest.mark.parametrize("places", [0, 4, 24])
def test_the_ranks_of_many_outputs_with_ties_and_without(functions, places):
    draw = np.random.default_rng(places)
    x = np.zeros((5000, INPUTS), np.float32)
    x[:, 0] = np.round(draw.normal(size=5000) * 2**places) / 2**places
    weights = np.zeros((LANES, 1, INPUTS + 1), np.float32)
    weights[:, 0, 0] = [-1, 1] * (LANES // 2)
    y = draw.normal(size=5000) + x[:, 0] > 0.3
    compare(functions, target_of("binary", 2), x, y, weights)


def test_targets_that_are_all_equal_leave_r2_without_a_value(functions):
    y = np.full(1000, np.float32(0.1))
    x = np.ones((1000, INPUTS), np.float32)
    weights = np.ones((LANES, 1, INPUTS + 1), np.float32)
    compare(functions, target_of("regression", 0), x, y, weights)
    assert functions.variance(y) == 0 == functions.variance(y[:0])


@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_the_final_loss_is_that_of_the_curve_to_the_bit(functions, loss):
    rows, other = make_rows("regression", 60), make_rows("regression", 77, seed=1)
    fold = Fold(rows, other, target_of("regression", 0))
    spec = make_spec().with_objective(loss)
    trainer = MlpTrainer(fold, (), spec, functions)
    trials = [make_trial(epochs=20, lr=0.03, seed=seed, width=3 + seed) for seed in range(20)]
    for outcome in trainer.train(lanes(trials), 1):
        assert outcome.scores[loss] == min(outcome.curve.series["validation"][1:])


class Counting(CFunctions):
    """Counts the measurements of all rows that are not part of an epoch."""

    measured = 0

    def measure(self, call, sums=None):
        self.measured += 1
        super().measure(call, sums)


def test_lanes_of_a_block_that_end_at_different_times_are_measured_once(functions):
    counting = Counting.__new__(Counting)
    counting.__dict__.update(functions.__dict__)
    rows = make_rows("regression")
    trainer = MlpTrainer(Fold(rows, rows, target_of("regression", 0)), (), make_spec(), counting)
    # So few epochs apart that it is not worth moving lanes to other blocks.
    trials = [make_trial(epochs=9 + i % 3, seed=i) for i in range(LANES)]
    outcomes = trainer.train(lanes(trials), None)
    assert {outcome.state for outcome in outcomes} == {"COMPLETE"}
    # Both losses of the initial weights, and of the best.
    assert counting.measured == 4


def test_a_paused_lane_has_the_scores_of_its_best_weights_so_far(functions):
    rows = make_rows("binary", 50)
    target = target_of("binary", 2)
    trainer = MlpTrainer(Fold(rows, rows, target), (), make_spec("binary"), functions)
    trials = [make_trial("binary", epochs=epochs, lr=0.05) for epochs in (4, 9)]
    for outcome in trainer.train(lanes(trials), 1, until=4):
        best = outcome.scores["best_epoch"]
        assert outcome.scores["log_loss"] == outcome.curve.series["validation"][int(best)]
