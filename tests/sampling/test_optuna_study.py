import optuna
import pytest
from optuna.trial import TrialState

from xortune.sampling import ask_generation, optuna_study
from xortune.sampling.distributions import distributions
from xortune.space import load_space
from xortune.trial import FinishedTrial, Metric, Outcome, Scores, Trial

SPACE = load_space("default")
FAILED = 3


def outcome_of(number: int) -> Outcome:
    if number == FAILED:
        return Outcome("FAIL", error="loss is not finite at epoch 2")
    return Outcome("COMPLETE", Scores(0.5, 1 / (1 + number), 2 + number, 0.75))


TOLD = [
    FinishedTrial(Trial(number, 0, params), outcome_of(number))
    for number, params in enumerate(ask_generation(SPACE, "random", 0, 0, 8, [], "mse"))
]


def study_of(metric: Metric = "mse") -> optuna.Study:
    return optuna_study("xor-1", SPACE, TOLD, metric)


def test_numbers_parameters_and_distributions():
    study = study_of()
    assert study.study_name == "xor-1"
    assert [t.number for t in study.trials] == list(range(8))
    for trial, told in zip(study.trials, TOLD):
        params = told.trial.params
        assert trial.params == {
            "lr": params.lr,
            "epochs": params.epochs,
            "seed": params.seed,
            "loss_fn": params.loss_fn,
        }
        assert trial.distributions == dict(distributions(SPACE))


def test_states_and_scores():
    for number, trial in enumerate(study_of().trials):
        if number == FAILED:
            assert (trial.state, trial.value, trial.user_attrs) == (TrialState.FAIL, None, {})
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
    assert study.best_params["lr"] == TOLD[best].trial.params.lr


def test_the_frame():
    frame = study_of().trials_dataframe()
    assert list(frame["number"]) == list(range(8))
    assert list(frame["params_seed"]) == [t.trial.params.seed for t in TOLD]
    assert list(frame["state"]) == ["COMPLETE"] * 3 + ["FAIL"] + ["COMPLETE"] * 4


def test_a_study_without_trials():
    assert optuna_study("empty", SPACE, [], "mse").trials == []


def test_an_iterator_will_do():
    assert len(optuna_study("lazy", SPACE, iter(TOLD), "mse").trials) == 8
