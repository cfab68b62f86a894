"""Subjects give engines the spec of one training with the study's objective, and tables' folds."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import xortune
from tests.problems.table.tables import mixed_frame, same_rows
from xortune.errors import UsageError
from xortune.problems.table.folds import cut_into_folds
from xortune.problems.table.problem import TableProblem
from xortune.problems.table.splitting import DEFAULT_SPLIT, split_rows
from xortune.problems.table.table import load_table
from xortune.settings import RunOptions, StudySettings
from xortune.spec import Objective
from xortune.studies.compatibility import check_versions, versions
from xortune.studies.problems import problem_of, resumed, spec_of_study
from xortune.studies.request import Request, checked_request

FRAME = mixed_frame()
TABLE = {"data": FRAME, "target": "weight", "objective": "rmse:max"}
FUNCTION = {
    "problem": xortune.Problem(
        lambda config, report: {"loss": config["x"], "height": 1.0},
        {"x": {"min": 0.0, "max": 1.0}, "epochs": {"min": 1, "max": 9}, "seed": {"value": 1}},
        metrics=["height"],
        cost="epochs",
    ),
    "objective": "height:max",
}
LAB = {"objective": "accuracy:max"}
needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="there is no C compiler"
)
SUBJECTS = {
    "table": (TABLE, "auto"),
    "function": (FUNCTION, "auto"),
    "lab, eager": (LAB, "eager"),
    "lab, compiled": (LAB, "compiled"),
}


def request_of(engine="auto", **keywords) -> Request:
    return checked_request(None, None, engine, keywords)


def engine_of(request: Request):
    choice = request.subject.choice(request.engine, request.settings, RunOptions())
    return choice.decide("cpu")


def recorded(request: Request) -> StudySettings:
    """The settings as they come back from the ledger of a study without a confirmation."""
    settings = replace(request.settings, confirm=())
    return StudySettings.from_dict(json.loads(json.dumps(settings.to_dict())))


@pytest.mark.parametrize(
    ("keywords", "engine"),
    [pytest.param(*SUBJECTS[name], id=name) for name in ("table", "function", "lab, eager")]
    + [pytest.param(*SUBJECTS["lab, compiled"], id="lab, compiled", marks=needs_compiler)],
)
@pytest.mark.parametrize(
    "more", [{}, {"replicates": 3}, {"pruner": "halving"}], ids=["plain", "replicates", "pruner"]
)
def test_an_engine_has_the_spec_of_one_training_with_the_objective_of_the_study(
    keywords, engine, more
):
    request = request_of(engine, **keywords, **more)
    there, spec = request.settings.spec, engine_of(request).spec
    assert (spec.objectives, spec.loss) == (there.objectives, there.loss)
    assert spec.objectives[0].direction == "maximize"
    own = request.subject.problem.spec
    assert replace(spec, parameters=own.parameters) == own.aimed_as(there)
    assert spec.names == own.names
    assert ("seed" in there.names) == ("replicates" not in more)


@pytest.mark.parametrize("objective", ["mse", "r2"])
def test_the_aim_of_a_spec_is_that_of_a_study_and_the_rest_its_own(objective):
    problem = TableProblem(load_table(FRAME, "weight").recipe, "x.csv")
    study = problem.spec.with_objective(objective).extended(replicated=True, pruned=True)
    aimed = problem.spec.aimed_as(study)
    assert aimed == problem.spec.with_objective(objective)
    assert aimed.aliases == problem.spec.aliases
    back = aimed.aimed_as(problem.spec)
    assert back == problem.spec
    assert back.objectives == (Objective("mse"),)


def test_folds_reach_the_settings_the_recipe_and_the_engine():
    request = request_of(**TABLE, folds=4)
    assert (request.settings.folds, request.settings.replicates) == (4, 4)
    assert request.settings.problem["recipe"]["folds"] == 4
    expected = load_table(FRAME, "weight", folds=4).folds
    for fold, other in zip(engine_of(request)._folds, expected, strict=True):
        assert same_rows(fold.training, other.training)
        assert fold.target == other.target


def test_a_study_without_folds_is_recorded_as_ever():
    request = request_of(**TABLE)
    assert "folds" not in request.settings.problem["recipe"]
    assert engine_of(request)._folds == ()


def test_a_resumed_study_has_the_same_folds():
    request = request_of(**TABLE, folds=3)
    settings = recorded(request)
    subject = resumed(settings, "one", {"data": FRAME}, force=False)
    engines = (engine_of(request), subject.choice("auto", settings, RunOptions()).decide("cpu"))
    for fold, other in zip(*(engine._folds for engine in engines), strict=True):
        assert same_rows(fold.training, other.training)
        assert same_rows(fold.validation, other.validation)
        assert fold.target == other.target
    assert engines[0].spec == engines[1].spec


@pytest.mark.parametrize(
    "more",
    [{}, {"replicates": 2}, {"folds": 3}, {"folds": 3, "pruner": "median"}],
    ids=lambda more: ", ".join(more) or "plain",
)
def test_a_recorded_study_is_read_and_resumed_with_the_software_that_made_it(more):
    request = request_of(**TABLE, **more)
    settings = recorded(request)
    problem = problem_of(settings)
    assert spec_of_study(problem.spec, settings) == settings.spec
    engine = engine_of(request)
    provenance = xortune.settings.Provenance(engine.name, versions(engine, "cpu"))
    check_versions(settings, provenance, "one")
    other = replace(settings, spec=replace(settings.spec, cost=None))
    with pytest.raises(UsageError, match="the problem data has changed"):
        check_versions(other, provenance, "one")


def test_settings_and_recipe_with_other_folds_are_damaged():
    settings = request_of(**TABLE, folds=4).settings
    for folds, words in ((None, "no folds, and the recipe of its table 4"), (2, "2 folds")):
        with pytest.raises(UsageError, match=words):
            problem_of(replace(settings, folds=folds))
    with pytest.raises(UsageError, match="parameters are not those of a table"):
        problem_of(replace(settings, replicates=1))


def test_the_lab_has_no_folds(tmp_path):
    with pytest.raises(UsageError) as raised:
        xortune.search("smoke", folds=4, results=tmp_path / "results")
    assert str(raised.value) == (
        "folds 4: is for tables, functions and modules; the lab's problem has four rows. "
        "Leave it out."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("folds", "words"),
    [
        (1, "folds 1: must be a whole number of at least 2."),
        (2.5, "folds 2.5: must be a whole number of at least 2."),
        (49, "folds 49: there are 48 training and validation rows. Use at most 48."),
    ],
)
def test_folds_at_fault_are_one_message_and_nothing_is_written(tmp_path, folds, words):
    with pytest.raises(UsageError) as raised:
        xortune.search(**TABLE, folds=folds, results=tmp_path / "results")
    assert str(raised.value) == words
    assert list(tmp_path.iterdir()) == []


def test_an_objective_without_a_value_in_some_fold_is_refused_before_anything_is_written(tmp_path):
    keywords = {"data": FRAME, "target": "weight", "folds": 48, "runner": "inline", "trials": 1}
    with pytest.raises(UsageError) as raised:
        xortune.search(**keywords, objective="r2", results=tmp_path / "results")
    assert str(raised.value) == (
        "objective r2: has no value on the validation rows of fold 0, where the target is always "
        "the same. Name another objective, or fewer folds than 48."
    )
    assert list(tmp_path.iterdir()) == []
    request = request_of(**{**TABLE, "objective": "mse"}, folds=48)
    assert len(engine_of(request)._folds) == 48


def test_a_trial_of_a_study_with_folds_predicts_and_is_tested_by_the_first_fold(tmp_path):
    space = {"width": {"values": [4, 8]}, "epochs": {"value": 3}}
    study = xortune.search(
        space, data=FRAME, target="weight", folds=3, trials=2, runner="inline", confirm="none",
        name="one", results=tmp_path, sampler="random",
    )  # fmt: skip
    assert study.trials["replicates"].tolist() == [3, 3]
    replicates = study.replicates(study.best_number)
    assert replicates["fold"].tolist() == [0, 1, 2]
    predicted = study.predict(study.best_number, FRAME)["prediction"]
    rows = cut_into_folds(split_rows(len(FRAME), DEFAULT_SPLIT, 0), 3, 0)[0].validation
    error = np.sqrt(np.mean((predicted - FRAME["weight"])[rows] ** 2))
    assert error == pytest.approx(replicates["rmse"][0], rel=1e-5)
    assert error != pytest.approx(replicates["rmse"][1], rel=1e-2)
    test = study.summary()["test"]
    assert test["number"] == study.best_number
    assert test["scores"]["rmse"] > 0
