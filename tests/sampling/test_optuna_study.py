from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState

from tests.ledger.rungs import complete, pruned
from tests.make import make_outcome, make_scores
from tests.space.spaces import load_xor
from xortune.problems.xor.spec import SPEC
from xortune.sampling import ask_generation, optuna_study
from xortune.sampling.distributions import distributions
from xortune.spec import Objective
from xortune.trial import FinishedTrial, Outcome, RecordedTrial, Trial

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
