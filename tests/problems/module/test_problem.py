"""A module's problem: what a study records, what travels, its trained models and test rows."""

import random

import numpy as np
import pytest
import torch
from torch import nn

import xortune
from tests.declared_modules import MOONS, data, gap, made, model, problem_of
from xortune.errors import UsageError, XortuneError
from xortune.problems.module.problem import RecordedModule
from xortune.problems.module.weights import weights_of


@pytest.fixture
def moons(tmp_path):
    path = tmp_path / "moons.py"
    path.write_text(MOONS)
    return problem_of(path)


def trained(problem, **values):
    """Parameters and some weights of a trial."""
    params = problem.spec.assignment(values)
    torch.manual_seed(3)
    return params, weights_of(problem.lesson.build(params).state_dict())


def test_a_study_records_texts_and_digests_and_nothing_that_runs(moons):
    recorded = moons.recorded
    assert (recorded["kind"], recorded["file"], recorded["text"]) == ("module", "moons.py", MOONS)
    assert recorded["test_rows"] == 40
    assert all(isinstance(value, str | int | dict) for value in recorded.values())
    assert recorded["data_digest"] == moons.lesson.rows.digest


def test_a_live_object_is_recorded_by_the_texts_of_all_its_functions():
    recorded = problem_of(made(metrics={"gap": gap})).recorded
    for function in (model, data, gap):
        assert f"def {function.__name__}(" in recorded["text"]
    assert recorded["digest"] != problem_of(made()).recorded["digest"]


def test_a_trained_model_has_its_weights_and_answers(moons):
    params, weights = trained(moons, width=3, activation="ReLU")
    built = moons.model(params, weights)
    assert not built.training
    assert weights_of(built.state_dict()) == weights
    inputs = np.array([[0.5, 0.25], [1.0, -1.0]], np.float32)
    chances = built(torch.tensor(inputs)).sigmoid()[:, 0]
    predicted = moons.predict(params, weights, inputs)
    assert predicted["p_1"].to_numpy() == pytest.approx(chances.detach().numpy())
    assert list(predicted["prediction"]) == [int(chance > 0.5) for chance in chances]
    with pytest.raises(XortuneError, match="those of another module"):
        moons.model(moons.spec.assignment({"width": 5}), weights)


def test_the_best_trial_is_measured_on_the_test_rows(moons):
    params, weights = trained(moons)
    tested = moons.tested(params, weights)
    output = moons.model(params, weights)(moons.lesson.x_test).detach()
    assert set(tested) == {"bce_with_logits", "accuracy"}
    expected = ((output[:, 0] > 0) == (moons.lesson.y_test > 0)).float().mean()
    assert tested["accuracy"] == pytest.approx(float(expected))
    without = problem_of(made())
    assert without.tested(*trained(without)) is None


def test_without_its_code_a_study_has_weights_and_no_model(moons):
    recorded = RecordedModule(moons.spec)
    params, weights = trained(moons)
    with pytest.raises(
        UsageError, match="not the code that makes it: name it again, with problem="
    ):
        recorded.model(params, weights)
    assert recorded.network(params, weights) is None
    assert not recorded.has_models


def test_data_that_differs_at_every_call_is_refused():
    def drawn():
        x = np.random.default_rng().random((4, 2))
        return xortune.Split(x, [0, 1, 0, 1], x, [0, 1, 0, 1])

    with pytest.raises(UsageError, match="data returns other rows at every call, so no study"):
        problem_of(made(data=drawn))


def test_a_function_that_reads_a_global_which_does_not_travel_is_refused():
    def hidden():
        return globals()["_ONLY_HERE"]()

    globals()["_ONLY_HERE"] = data
    # As in a notebook: its module is not imported elsewhere, and it travels by its parts.
    hidden.__module__ = "__main__"
    with pytest.raises(UsageError, match=r"data fails: KeyError: '_ONLY_HERE'"):
        problem_of(made(data=hidden))


def test_what_draws_from_the_global_generators_is_not_refused():
    def drawn():
        x = np.random.rand(4, 2) + random.random()
        return xortune.Split(x, [0, 1, 0, 1], x, [0, 1, 0, 1])

    assert problem_of(made(data=drawn)).recorded["test_rows"] == 0


def test_a_class_of_the_caller_stays_as_it_is_when_it_travels():
    class Net(nn.Module):
        def __init__(self, inputs, outputs, width):
            super().__init__()
            self.line = nn.Linear(inputs, outputs)

        def forward(self, x):
            return self.line(x)

    before = dict(vars(Net))
    problem = problem_of(made(model=Net))
    travelled = type(problem.lesson.build({"width": 3}))
    assert travelled is not Net
    assert travelled.__name__ == "Net"
    assert dict(vars(Net)) == before
