"""A table as a problem: its models, predictions for new rows, and its test rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch

from tests.make import lanes
from tests.tables import TARGETS, make_engine, make_rows, make_spec, make_trial
from xortune.errors import UsageError, XortuneError
from xortune.problems.table.problem import TableProblem, probabilities
from xortune.problems.table.rows import TASKS, Rows, Target
from xortune.trial import Params, Weights


@dataclass(frozen=True)
class ThreeColumns:
    """A recipe that takes three columns as they are."""

    target: Target
    input_names: Sequence[str] = ("a", "b", "c")
    inputs: int = 3
    text_columns: Sequence[str] = ()

    def prepare(self, frame: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
        return frame[list(self.input_names)].to_numpy(np.float32), []


@dataclass(frozen=True)
class HeldBack:
    test: Rows


def make_problem(task) -> TableProblem:
    return TableProblem(ThreeColumns(TARGETS[task]), "small.csv", HeldBack(make_rows(task, 20)))


def trained(task) -> tuple[TableProblem, object, Weights]:
    params = make_trial(task, activation="gelu", epochs=20, lr=0.01)
    (outcome,) = make_engine(task).open("cpu").train(lanes([params]), None)
    return make_problem(task), params, outcome.weights


@pytest.fixture(scope="module", params=TASKS)
def case(request):
    return request.param, *trained(request.param)


@pytest.fixture
def frame() -> pd.DataFrame:
    rows = make_rows("regression", 20, seed=5)
    return pd.DataFrame(rows.x, columns=["a", "b", "c"], index=range(100, 120))


def test_the_parts_that_are_plain(case):
    task, problem, *_ = case
    assert problem.spec == make_spec(task)
    assert (problem.data, problem.inputs, tuple(problem.graph({}))) == ("small.csv", 3, ())


def test_outputs_are_those_of_the_model(case, frame):
    _, problem, params, weights = case
    x = np.array(frame, np.float32)
    expected = problem.model(params, weights)(torch.from_numpy(x)).detach().numpy()
    assert problem.outputs(params, weights, x) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_predictions_are_in_the_words_of_the_target(case, frame):
    task, problem, params, weights = case
    outputs = problem.outputs(params, weights, frame.to_numpy(np.float32))
    predictions = problem.predict(params, weights, frame)
    assert list(predictions.index) == list(range(100, 120))
    if task == "regression":
        assert list(predictions) == ["prediction"]
        assert predictions.prediction.tolist() == pytest.approx((outputs[:, 0] * 2 + 3).tolist())
        return
    classes = TARGETS[task].classes
    chances = predictions[[f"p_{name}" for name in classes]]
    assert list(predictions) == ["prediction", *chances]
    assert chances.sum(axis=1).tolist() == pytest.approx([1.0] * 20)
    likeliest = [classes[place] for place in chances.to_numpy().argmax(axis=1)]
    assert predictions.prediction.tolist() == likeliest
    assert len({*likeliest}) > 1


def test_the_test_rows_are_measured_like_validation_rows(case):
    task, problem, params, weights = case
    found = problem.tested(params, weights)
    assert tuple(found) == make_spec(task).metric_names[1:-1]
    assert all(map(math.isfinite, found.values()))
    (outcome,) = (
        make_engine(task)
        .open("cpu")
        .train(lanes([make_trial(task, activation="gelu", epochs=1)]), 1)
    )
    there = TableProblem(
        ThreeColumns(TARGETS[task]), "small.csv", HeldBack(make_rows(task, 15, seed=1))
    )
    measured = there.tested(make_trial(task, activation="gelu"), outcome.weights)
    assert measured == {name: outcome.scores[name] for name in measured}


def test_a_trial_without_a_seed_has_a_model_predictions_and_test_scores(case, frame):
    """Replicates have seeds of their own, which are not the trial's."""
    _, problem, params, weights = case
    names = problem.spec.extended(replicated=True, pruned=False).names
    without = Params(names, tuple(params[name] for name in names))
    assert "seed" not in without
    assert problem.tested(without, weights) == problem.tested(params, weights)
    predictions = problem.predict(without, weights, frame)
    assert predictions.equals(problem.predict(params, weights, frame))
    state = problem.model(params, weights).state_dict()
    for name, tensor in problem.model(without, weights).state_dict().items():
        assert torch.equal(tensor, state[name])


def test_without_the_data_there_are_no_test_rows(case):
    task, _, params, weights = case
    problem = TableProblem(ThreeColumns(TARGETS[task]), "small.csv")
    with pytest.raises(UsageError, match=r"test rows of small\.csv are needed: name the data"):
        problem.tested(params, weights)


def test_weights_of_another_table_are_refused(case):
    task, _, params, weights = case
    other = TableProblem(ThreeColumns(TARGETS[task], inputs=4), "small.csv")
    with pytest.raises(XortuneError, match="do not fit a model of 4 inputs"):
        other.model(params, weights)
    with pytest.raises(XortuneError, match="do not fit a model of 4 inputs"):
        other.outputs(params, weights, np.zeros((1, 4), np.float32))


def test_probabilities_of_extreme_logits_are_finite():
    logits = np.array([[3e38, -3e38], [-90.0, 90.0], [0.0, 0.0]], np.float32)
    assert probabilities(logits)[[0, 2]].tolist() == [[1.0, 0.0], [0.5, 0.5]]
    one = probabilities(np.array([[-1000.0], [1000.0], [0.0]], np.float32))
    assert one.tolist() == [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
