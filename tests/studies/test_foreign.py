"""Habits from Optuna, Ray Tune, W&B and scikit-learn: settings and attributes in Python."""

import copy
import pickle

import optuna
import pytest

import xortune
from xortune.errors import UsageError
from xortune.studies.foreign import RECORDED
from xortune.studies.options import RESUME_KEYWORDS, SEARCH_KEYWORDS


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return xortune.search(
        "smoke", trials=4, runner="inline", confirm=False, timeout="none", name="s",
        results=tmp_path_factory.mktemp("results"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"num_samples": 3}, "unknown setting 'num_samples'. Did you mean 'trials'? The settings"),
        ({"study_name": "a"}, "Did you mean 'name'?"),
        ({"time_budget_s": 3}, "Did you mean 'timeout'?"),
        ({"scheduler": "asha"}, "Did you mean 'pruner'?"),
        ({"storage": "sqlite://"}, "Did you mean 'results'?"),
        ({"min_resource": 3}, "Did you mean 'rungs' or 'rung_epochs'?"),
        ({"patience": 3}, "'plateau' ends a search. For a table, early_stopping is a parameter"),
        ({"cv": 5}, "Did you mean 'folds'?"),
        ({"n_jobs": 2}, "Did you mean 'workers'?"),
        ({"direction": "maximize"}, "Did you mean objective='NAME:max'?"),
        ({"resume": True}, "Did you mean xortune.resume?"),
        ({"load_if_exists": True}, "Did you mean 'exist_ok' or xortune.resume?"),
        ({"trails": 3}, "Did you mean 'trials'?"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_setting_of_another_tool(tmp_path, given, hint):
    with pytest.raises(UsageError) as caught:
        xortune.search("smoke", results=tmp_path, **given)
    assert hint in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pruner": "median"}, "pruner is recorded with the study, and a resume cannot change it."),
        ({"replicates": 3}, "replicates is recorded with the study, and"),
        ({"narrow": {}}, "narrow is recorded with the study, and"),
        ({"scheduler": "asha"}, "'scheduler'. pruner is recorded with the study, and a resume"),
        ({"min_resource": 1}, "rungs and rung_epochs are recorded with the study, and a resume "),
        ({"resume": True}, "unknown setting 'resume'. It is not needed: a resume does that."),
        ({"num_samples": 9}, "unknown setting 'num_samples'. Did you mean 'trials'?"),
        ({"concurrency": 9}, "Did you mean 'workers'?"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_a_resume_cannot_change(study, given, words):
    with pytest.raises(UsageError) as caught:
        xortune.resume(study.paths.folder, **given)
    assert words in str(caught.value)


def test_recorded_settings_are_those_that_only_a_search_takes():
    assert not {*RECORDED} & {*RESUME_KEYWORDS, "trials", "data", "problem", "include"}
    assert {*SEARCH_KEYWORDS} - {*RESUME_KEYWORDS, "trials", "data", "problem", "include"} < {
        *RECORDED
    }


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"pruner": "asha"}, "halving"),
        ({"pruner": "successive_halving"}, "halving"),
        ({"pruner": optuna.pruners.MedianPruner()}, "median"),
        ({"pruner": optuna.pruners.HyperbandPruner()}, "hyperband"),
        ({"sampler": "TPESampler"}, "tpe"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value,
)
def test_a_pruner_or_sampler_of_another_tool(tmp_path, given, meant):
    with pytest.raises(UsageError) as caught:
        xortune.search("smoke", results=tmp_path, runner="inline", **given)
    assert f"Did you mean {meant}?" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_false_leaves_the_confirmation_out_and_none_the_timeout(study):
    assert study.settings.confirm == ()
    assert len(study.trials) == 4


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("best_params", "study.best"),
        ("best_trial", "study.best"),
        ("best_value", "study.best["),
        ("trials_dataframe", "study.trials"),
    ],
)
def test_an_attribute_of_optuna_says_where_it_is(study, name, instead):
    with pytest.raises(AttributeError, match=rf"^a study has no '{name}'\. Use ") as caught:
        getattr(study, name)
    assert instead in str(caught.value)
    assert caught.value.obj is None  # or Python would guess at `most_trials`
    assert not hasattr(study, name)


def test_other_attributes_are_missing_as_ever(study):
    with pytest.raises(AttributeError, match="^'Study' object has no attribute 'bests'"):
        study.bests  # noqa: B018


def test_a_property_keeps_its_own_error(study, monkeypatch):
    def fail(self):
        raise AttributeError("a fault inside")

    monkeypatch.setattr(type(study), "trials", property(fail))
    with pytest.raises(AttributeError, match="^a fault inside$"):
        study.trials  # noqa: B018


def test_a_study_is_copied_and_pickled(study):
    for again in (copy.copy(study), copy.deepcopy(study), pickle.loads(pickle.dumps(study))):
        assert again.settings == study.settings
        assert again.trials.equals(study.trials)
