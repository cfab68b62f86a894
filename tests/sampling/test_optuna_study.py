from dataclasses import replace
from datetime import datetime, timedelta
from math import inf, nan

import optuna
import pytest
from optuna.trial import TrialState

from tests.ledger.rungs import complete, pruned
from tests.make import make_curve, make_outcome, make_scores
from tests.space.spaces import load_xor
from xortune.problems.xor.spec import SPEC
from xortune.sampling import ask_generation, optuna_study
from xortune.sampling.distributions import distributions
from xortune.space import load_space
from xortune.spec import Metric, Objective, Parameter, ProblemSpec, Series
from xortune.trial import Curve, FinishedTrial, Outcome, RecordedTrial, Trial

SPACE = load_xor("default")
FAILED = 3


def outcome_of(number: int) -> Outcome:
    if number == FAILED:
        return make_outcome("FAIL")
    return make_outcome(scores=make_scores(0.5, 1 / (1 + number), 2 + number, 0.75))


TOLD = [
    RecordedTrial(Trial(number, 0, params), outcome_of(number))
    for number, params in enumerate(ask_generation(SPACE, "random", 0, 0, 8, []))
]


def study_of(metric: str = "mse") -> optuna.Study:
    return optuna_study("xor-1", replace(SPACE, spec=SPEC.with_objective(metric)), TOLD)


def test_numbers_parameters_and_distributions():
    study = study_of()
    assert study.study_name == "xor-1"
    assert [t.number for t in study.trials] == list(range(8))
    for trial, told in zip(study.trials, TOLD):
        assert trial.params == dict(told.trial.params)
        assert trial.distributions == dict(distributions(SPACE))


def test_states_and_scores():
    for number, trial in enumerate(study_of().trials):
        if number == FAILED:
            assert (trial.state, trial.value) == (TrialState.FAIL, None)
            assert trial.user_attrs == {"error": "loss is not finite at epoch 3"}
        else:
            assert (trial.state, trial.value) == (TrialState.COMPLETE, 1 / (1 + number))
            assert trial.user_attrs == {
                "train_loss": 0.5,
                "mse": 1 / (1 + number),
                "bce": 2 + number,
                "accuracy": 0.75,
            }


@pytest.mark.parametrize(("metric", "best", "value"), [("mse", 7, 1 / 8), ("bce", 0, 2)])
def test_the_best_trial_is_that_with_the_lowest_final_loss(metric, best, value):
    study = study_of(metric)
    assert study.direction == optuna.study.StudyDirection.MINIMIZE
    assert study.best_trial.number == best
    assert study.best_value == value
    assert study.best_params["lr"] == TOLD[best].trial.params["lr"]


def test_every_objective_has_its_direction():
    objectives = (Objective("accuracy", "maximize"), Objective("bce"))
    space = replace(SPACE, spec=replace(SPEC, objectives=objectives))
    study = optuna_study("two", space, TOLD)
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert [t.values for t in study.trials if t.number != FAILED] == [
        [0.75, 2 + number] for number in range(8) if number != FAILED
    ]
    assert [t.number for t in study.best_trials] == [0]


def test_the_frame():
    frame = study_of().trials_dataframe()
    assert list(frame["number"]) == list(range(8))
    assert list(frame["params_seed"]) == [t.trial.params["seed"] for t in TOLD]
    assert list(frame["state"]) == ["COMPLETE"] * 3 + ["FAIL"] + ["COMPLETE"] * 4


def test_a_study_without_trials():
    assert optuna_study("empty", SPACE, []).trials == []


def test_an_iterator_will_do():
    assert len(optuna_study("lazy", SPACE, iter(TOLD)).trials) == 8


def placed(finished: list[FinishedTrial]) -> list[RecordedTrial]:
    """With parameters of the space."""
    return [RecordedTrial(known.trial, f.outcome) for f, known in zip(finished, TOLD)]


@pytest.mark.parametrize("metric", ["mse", "accuracy"])
def test_a_pruned_trial_has_its_loss_at_its_epoch(metric):
    spec = SPEC.extended(replicated=False, pruned=True).with_objective(metric)
    told = placed([pruned(spec, 0, 15, 0.75), complete(spec, 1), pruned(spec, 2, 5, 0.5)])
    study = optuna_study("rungs", replace(SPACE, spec=spec), told)
    assert [t.state.name for t in study.trials] == ["PRUNED", "COMPLETE", "PRUNED"]
    assert [t.intermediate_values for t in study.trials] == [{15: 0.75}, {}, {5: 0.5}]
    assert study.trials[0].user_attrs == {"pruned_epoch": 15.0, "pruned_loss": 0.75}
    assert study.trials[1].value == told[1].outcome.scores[metric]
    assert study.best_trial.number == 1


def test_a_pruned_trial_of_several_objectives():
    spec = SPEC.extended(replicated=False, pruned=True)
    spec = replace(spec, objectives=(Objective("mse"), Objective("accuracy", "maximize")))
    told = placed([pruned(spec, 0), complete(spec, 1)])
    study = optuna_study("two", replace(SPACE, spec=spec), told)
    assert [t.state.name for t in study.trials] == ["PRUNED", "COMPLETE"]
    assert [t.number for t in study.best_trials] == [1]


FUNCTION = ProblemSpec(
    problem="hill",
    parameters=(
        Parameter("x", "float", 0.5, 0.0, 1.0),
        Parameter("k", "choice", "a", choices=("a", "b")),
    ),
    metrics=(Metric("height"), Metric("slope")),
    loss=None,
    objectives=(Objective("height", "maximize"),),
    curve=(Series("height", "height"), Series("slope", "slope")),
)
HILL = load_space({"x": {"min": 0.0, "max": 1.0}, "k": {"values": ["a", "b"]}}, FUNCTION)


def on_the_hill(number: int, x: object = 0.5, **values: object) -> RecordedTrial:
    scores = FUNCTION.scores((float(number), nan))
    curve = Curve((1, 2, 5), {"height": (0.25, nan, inf), "slope": (9.0, 9.0, 9.0)})
    outcome = Outcome("COMPLETE", scores, duration_s=1.5)
    found = RecordedTrial(Trial(number, 0, FUNCTION.params((x, "b"))), outcome, curve)
    return found._replace(**values)


def the_trial(found: RecordedTrial) -> optuna.trial.FrozenTrial:
    return optuna_study("hill", HILL, [found]).trials[0]


def test_the_series_of_the_objective_are_intermediate_values_where_they_were_measured():
    assert the_trial(on_the_hill(0)).intermediate_values == {1: 0.25, 5: inf}


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        ((Objective("mse"),), {0: 0.75, 5: 0.125}),
        ((Objective("accuracy", "maximize"),), {}),
        ((Objective("mse"), Objective("bce")), {}),
    ],
)
def test_the_validation_loss_is_intermediate_where_a_loss_is_the_objective(objectives, expected):
    space = replace(SPACE, spec=replace(SPEC, objectives=objectives))
    found = TOLD[0]._replace(curve=make_curve((0, 5), (1.0, 0.5), (0.75, 0.125)))
    study = optuna_study("xor", space, [found])
    assert study.trials[0].intermediate_values == expected


def test_the_objective_at_a_rung_replaces_the_point_of_the_curve():
    spec = SPEC.extended(replicated=False, pruned=True)
    (found,) = placed([pruned(spec, 0, 5, 0.5)])
    found = found._replace(curve=make_curve((0, 5, 6), (1.0,) * 3, (0.75, 0.125, 0.0625)))
    study = optuna_study("rungs", replace(SPACE, spec=spec), [found])
    assert study.trials[0].intermediate_values == {0: 0.75, 5: 0.5, 6: 0.0625}


def test_a_metric_that_was_not_measured_is_no_attribute():
    assert the_trial(on_the_hill(2)).user_attrs == {"height": 2.0}


def test_a_parameter_that_does_not_apply_is_left_out_with_its_distribution():
    trial = the_trial(on_the_hill(0, x=None))
    assert trial.params == {"k": "b"}
    assert trial.distributions == {"k": distributions(HILL)["k"]}


def test_a_choice_that_the_space_does_not_have_is_left_out():
    params = FUNCTION.params((0.5, "b"))
    found = on_the_hill(0)._replace(trial=Trial(0, 0, params))
    fixed = load_space({"x": {"min": 0.0, "max": 1.0}, "k": {"value": "a"}}, FUNCTION)
    assert optuna_study("hill", fixed, [found]).trials[0].params == {"x": 0.5}


def test_a_trial_ends_when_it_was_recorded_and_starts_its_duration_earlier():
    trial = the_trial(on_the_hill(0, recorded=1_700_000_000.25))
    assert trial.datetime_complete == datetime.fromtimestamp(1_700_000_000.25)
    assert trial.datetime_complete - trial.datetime_start == timedelta(seconds=1.5)
    assert trial.duration == timedelta(seconds=1.5)


def test_a_time_that_is_not_known_is_not_invented():
    trial = the_trial(on_the_hill(0))
    assert (trial.datetime_start, trial.datetime_complete) == (None, None)


def test_a_trial_that_never_ran_starts_when_it_ends():
    lost = Outcome("FAIL", error="its worker was lost")
    trial = the_trial(on_the_hill(0, outcome=lost, recorded=1_700_000_000.0))
    assert trial.datetime_start == trial.datetime_complete is not None
    assert trial.user_attrs == {"error": "its worker was lost"}


def test_an_outdated_trial_has_failed_and_is_never_the_best():
    found = [on_the_hill(number) for number in range(3)]
    study = optuna_study("hill", HILL, found, outdated={2})
    assert study.best_trial.number == 1
    assert study.trials[2].state == TrialState.FAIL
    assert study.trials[2].user_attrs == {"error": "trained by an earlier version of the code"}


def test_a_waiting_trial_keeps_the_numbers_of_the_others():
    found = [on_the_hill(number) for number in range(3)]
    found[1] = found[1]._replace(outcome=None, curve=Curve())
    study = optuna_study("hill", HILL, found)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "WAITING", "COMPLETE"]
    assert study.trials[1].params == {"x": 0.5, "k": "b"}
    assert study.best_trial.number == 2


def test_trials_with_times_can_be_added_to_another_study():
    times = [1_700_000_000.0 + number for number in range(3)]
    study = optuna_study("hill", HILL, [on_the_hill(n, recorded=at) for n, at in enumerate(times)])
    other = optuna.create_study(direction="maximize")
    other.add_trials(study.trials)
    assert other.best_value == 2.0
