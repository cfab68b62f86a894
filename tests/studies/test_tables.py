"""Studies of a table: one table of trials whatever happens, test rows, and predictions."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.small_study import answer
from xortune.errors import UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths

SPACE = {
    "width": {"values": [4, 8]},
    "lr": {"distribution": "log_uniform_values", "min": 0.001, "max": 1e20},
    "dropout": {"values": [0.0, 0.3]},
    "epochs": {"min": 2, "max": 5},
    "optimizer": {"values": ["sgd", "adam", "momentum"]},
    "seed": {"min": 0, "max": 99},
}
SETTINGS = {"target": "y", "trials": 14, "generation": 7, "study_seed": 1}


def table(rows=90):
    i = np.arange(rows)
    colour = np.array(["red", "green", "blue"])[i % 3]
    y = np.where((i * 7 % 10 + (i % 3) * 2) > 6, "yes", "no")
    columns = {"a": i * 7 % 10 / 3, "b": i % 4, "colour": colour, "name": [f"n{k}" for k in i]}
    return pd.DataFrame({**columns, "y": y})


@pytest.fixture
def csv(tmp_path):
    file = tmp_path / "toys.csv"
    table().to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The undisturbed study."""
    folder = tmp_path_factory.mktemp("whole")
    table().to_csv(folder / "toys.csv", index=False)
    data = folder / "toys.csv"
    return xortune.search(SPACE, data=data, name="whole", results=folder, **SETTINGS)


def test_the_study_is_worth_comparing_with(whole):
    trials = whole.trials
    assert {"COMPLETE", "FAIL"} == set(trials["state"])
    assert trials["generation"].nunique() == 2
    assert trials["best_epoch"].dtype == "Int64"
    assert trials["best_epoch"].dropna().between(1, 5).all()


def test_frames_and_files_give_the_same_table(whole, tmp_path):
    study = xortune.search(SPACE, data=table(), name="frame", results=tmp_path, **SETTINGS)
    assert_frame_equal(answer(study), answer(whole), check_exact=True)
    assert study.settings.problem["digest"] == whole.settings.problem["digest"]


def test_a_killed_search_is_resumed_to_the_same_table(csv, whole, tmp_path):
    (tmp_path / "space.yaml").write_text(json.dumps({"parameters": SPACE}))
    command = [sys.executable, "-c", KILLED, "search", "space.yaml", "--data", str(csv)]
    command += ["--target", "y", "--trials", "14", "--generation", "7", "--study-seed", "1"]
    command += ["--pack-size", "2", "--name", "killed", "--results", "results", "--quiet"]
    done = subprocess.run(command, cwd=tmp_path, check=False, timeout=100, env={**os.environ})
    assert done.returncode == -signal.SIGKILL
    study = xortune.load("killed", tmp_path / "results")
    assert 0 < (study.trials["state"] == "COMPLETE").sum() < 14
    study = xortune.resume(study.paths.folder, data=csv)
    assert_frame_equal(answer(study), answer(whole), check_exact=True)
    assert study.summary()["test"] == whole.summary()["test"]


# A driver that is killed when its third pack is back.
KILLED = """
import os, signal, sys
from xortune.loop.search import Search
from xortune.__main__ import run
finish, packs = Search.finish, []
def finished(self, pack, outcomes):
    finish(self, pack, outcomes)
    packs.append(pack)
    if len(packs) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
Search.finish = finished
sys.argv[0] = "xortune"
run()
"""


def test_an_extended_study_equals_one_in_one_go(csv, whole, tmp_path):
    settings = {**SETTINGS, "trials": 9}
    first = xortune.search(SPACE, data=csv, name="grown", results=tmp_path, **settings)
    grown = xortune.resume(first.paths.folder, data=table(), trials=14)
    assert_frame_equal(answer(grown), answer(whole), check_exact=True)
    assert grown.summary()["test"] == whole.summary()["test"]


def test_a_study_with_folds_is_the_same_in_other_packs_and_in_two_goes(csv, tmp_path):
    space = {name: entry for name, entry in SPACE.items() if name != "seed"}
    keywords = {**SETTINGS, "trials": 8, "folds": 3, "confirm": "none", "results": tmp_path}
    one = xortune.search(space, data=csv, name="one", **keywords)
    assert set(one.trials["state"]) == {"COMPLETE", "FAIL"}
    assert one.trials["replicates"].dropna().unique().tolist() == [3]
    keywords |= {"trials": 5, "pack_size": 1}
    two = xortune.search(space, data=csv, name="two", **keywords)
    two = xortune.resume(two.paths.folder, data=table(), trials=8, pack_size=2)
    assert_frame_equal(answer(two), answer(one), check_exact=True)
    number = one.best_number
    replicates = [s.replicates(number).drop(columns="duration_s") for s in (one, two)]
    assert_frame_equal(*replicates, check_exact=True)
    assert one.summary()["test"] == two.summary()["test"]


def test_a_resume_names_the_data_again_and_refuses_other_data(csv, tmp_path):
    study = xortune.search(
        SPACE, data=csv, name="one", results=tmp_path, **{**SETTINGS, "trials": 3}
    )
    before = study.trials
    with pytest.raises(UsageError, match=r"study one searches toys\.csv.*again, with data"):
        xortune.resume(study.paths.folder, trials=5)
    other = table()
    other.loc[50, "a"] += 1e-6
    for force in (False, True):
        with pytest.raises(UsageError, match="is not the data of study one"):
            xortune.resume(study.paths.folder, trials=5, data=other, force=force)
    with pytest.raises(UsageError, match="it has 89 rows, and the study's has 90"):
        xortune.resume(study.paths.folder, trials=5, data=table(89))
    assert_frame_equal(study.trials, before)


def test_the_best_trial_is_tested_on_rows_that_no_search_sees(csv, whole, tmp_path):
    test = whole.summary()["test"]
    assert test["number"] == whole.best["number"]
    assert test["validation"]["log_loss"] == whole.best["log_loss"]
    changed = table()
    recorded = whole.settings.problem["recipe"]
    assert sum(recorded["rows"]) == len(changed)
    report = subprocess.run(
        [sys.executable, "-m", "xortune", "report", whole.paths.folder],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    lines = [line.split() for line in report.splitlines()]
    assert ["best", "trial", str(test["number"]), *test["scores"]] in lines
    assert ["test", *(f"{value:.4g}" for value in test["scores"].values())] in lines


def test_predictions_need_neither_the_data_nor_the_target(whole, tmp_path):
    new = table().drop(columns=["y", "name"]).head(7)
    answered = whole.predict(whole.best_number, new)
    assert list(answered.columns) == ["prediction", "p_no", "p_yes"]
    assert set(answered["prediction"]) <= {"yes", "no"}
    assert answered[["p_no", "p_yes"]].sum(axis=1).to_numpy() == pytest.approx(1)
    new.to_csv(tmp_path / "new.csv", index=False)
    command = [sys.executable, "-m", "xortune", "predict", whole.paths.folder]
    done = subprocess.run(
        [*command, "--data", "new.csv", "--output", "out.csv"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == ""
    written = pd.read_csv(tmp_path / "out.csv")
    assert_frame_equal(written, answered.reset_index(drop=True), check_exact=False)


def test_unknown_words_and_missing_columns_of_new_rows_are_said(whole, caplog):
    new = table().head(3).drop(columns="a").replace({"colour": {"red": "pink"}})
    answered = whole.predict(whole.best_number, new)
    assert len(answered) == 3
    assert "column a is missing" in caplog.text
    assert "pink" in caplog.text


def test_the_model_of_a_trial_takes_prepared_rows(whole):
    import torch

    from xortune.problems.table.recipe import Recipe

    recipe = Recipe.from_dict(whole.settings.problem["recipe"])
    x, _ = recipe.prepare(table())
    logits = whole.model(whole.best_number)(torch.from_numpy(x))
    assert logits.shape == (90, 1)
    says = ["yes" if logit > 0 else "no" for logit in logits[:, 0].tolist()]
    assert says == whole.predict(whole.best_number, table())["prediction"].tolist()


def test_the_objective_decides_the_rank(csv, tmp_path):
    study = xortune.search(
        SPACE, data=csv, objective="accuracy", name="one", results=tmp_path, **SETTINGS
    )
    ranked = study.trials[study.trials["state"] == "COMPLETE"]
    assert ranked["accuracy"].is_monotonic_decreasing
    assert (ranked["final_loss"] == ranked["log_loss"]).all()
    ties = ranked.groupby("accuracy")["final_loss"]
    assert all(losses.is_monotonic_increasing for _, losses in ties)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"target": None}, "target is missing"),
        ({"target": "z"}, "target 'z'.*no such column"),
        ({"include": ["x"]}, r"include \['x'\]: it is for the code of a problem"),
        ({"engine": "compiled"}, "engine 'compiled': must be one of auto, mlp, plain"),
        ({"device": "cuda"}, "device cuda: tables are trained on CPUs"),
        ({"objective": "auk"}, "objective 'auk': must be one of"),
        ({"objective": "auc:most"}, "after the colon comes max or min"),
        ({"trial_timeout": 3}, "trial_timeout 3: is for functions"),
        ({"data": "nowhere.csv"}, "nowhere.csv cannot be read"),
        ({"data": "xer"}, "there is no such file.*Did you mean 'xor'"),
    ],
)
def test_bad_settings_write_nothing(csv, tmp_path, keywords, words):
    with pytest.raises(UsageError, match=words):
        xortune.search(SPACE, **{"data": csv, "results": tmp_path, **SETTINGS, **keywords})
    assert list(tmp_path.iterdir()) == [csv]


def test_settings_of_a_table_are_refused_for_the_lab(tmp_path):
    with pytest.raises(
        UsageError, match="target 'y': the lab's problem has none. Name a table, with data"
    ):
        xortune.search(target="y", results=tmp_path)


def test_a_study_leaves_columns_out_and_takes_numbers_for_text_as_asked(csv, tmp_path):
    asked = {**SETTINGS, "trials": 3, "drop": ["a"], "text": ["b"]}
    study = xortune.search(SPACE, data=csv, name="one", results=tmp_path, **asked)
    columns = study.settings.problem["recipe"]["columns"]
    assert [(c["kind"], c["name"]) for c in columns] == [("words", "b"), ("words", "colour")]
    study = xortune.resume(study.paths.folder, data=csv, trials=4)
    assert len(study.predict(study.best_number, table().drop(columns=["a", "y"]))) == 90


def test_exist_ok_compares_the_data(csv, tmp_path):
    settings = {**SETTINGS, "trials": 3, "name": "one", "results": tmp_path, "exist_ok": True}
    first = xortune.search(SPACE, data=csv, **settings)
    assert_frame_equal(xortune.search(SPACE, data=csv, **settings).trials, first.trials)
    other = table()
    other.loc[0, "b"] = 9
    other.to_csv(csv, index=False)
    with pytest.raises(UsageError, match="data has another content"):
        xortune.search(SPACE, data=csv, **settings)


def test_test_rows_that_a_kill_left_unmeasured_are_measured_by_a_resume(whole, tmp_path, caplog):
    folder = tmp_path / "killed"
    shutil.copytree(whole.paths.folder, folder)
    with Ledger.open(StudyPaths(folder)) as ledger:
        others = {key: found for key, found in ledger.findings().items() if key != "test"}
        ledger.record(ledger.settings(), ledger.provenance(), others)
    assert "test" not in xortune.resume(folder).summary()
    assert "its test rows were not measured. Resume it once more, with data." in caplog.text
    assert xortune.resume(folder, data=table()).summary()["test"] == whole.summary()["test"]


@pytest.mark.parametrize(
    "problem",
    [
        {"kind": "table"},
        {"kind": "table", "recipe": {}},
        {"kind": "table", "recipe": ["target"]},
        {"kind": "castle"},
        {"kind": ["table"]},
        {},
    ],
    ids=str,
)
def test_a_forged_record_of_a_table_is_refused(whole, tmp_path, problem):
    folder = tmp_path / "forged"
    shutil.copytree(whole.paths.folder, folder)
    with Ledger.open(StudyPaths(folder)) as ledger:
        settings = replace(ledger.settings(), problem=problem, trials=20)
        ledger.record(settings, ledger.provenance())
    study = xortune.load(folder)
    assert len(study.trials) == 14
    number = study.best_number
    with pytest.raises(XortuneError):
        study.predict(number, table())
    with pytest.raises(XortuneError):
        xortune.resume(folder, data=table())


def test_a_forged_spec_of_a_table_is_refused(whole, tmp_path):
    folder = tmp_path / "forged"
    shutil.copytree(whole.paths.folder, folder)
    lab = xortune.search("smoke", name="lab", trials=2, results=tmp_path, runner="inline")
    with Ledger.open(lab.paths) as ledger:
        forged = replace(ledger.settings(), problem=whole.settings.problem)
        ledger.record(forged, ledger.provenance())
    with pytest.raises(UsageError, match="not those of a table"):
        xortune.load(lab.paths.folder).predict(0, table())


_SIX = pd.DataFrame({"x": [1.0, 2, 3, 4, 5, 6], "y": [1.5, 2, 3, 4, 5, 6]})
_RARE = pd.DataFrame({"x": np.arange(50) % 7, "y": ["a"] * 48 + ["b"] * 2})
_ZEROS = pd.DataFrame({"x": np.arange(40) % 7, "y": [0.0] * 38 + [1.5, 2.5]})


@pytest.mark.parametrize(
    ("data", "task"),
    [(_SIX, None), (_RARE, None), (_ZEROS, "regression")],
    ids=["six rows", "a rare class", "nearly all zeros"],
)
def test_a_metric_without_a_value_on_the_test_rows_is_recorded_as_none(tmp_path, data, task):
    metric = "r2" if data["y"].dtype == float else "auc"
    study = xortune.search(
        {**SPACE, "lr": {"value": 0.01}}, data=data, task=task, split=(70, 28, 2),
        name="one", results=tmp_path, **{**SETTINGS, "trials": 3},
    )  # fmt: skip
    test = study.summary()["test"]
    assert test["scores"][metric] is None
    assert all(type(v) is float for name, v in test["scores"].items() if name != metric)
    assert {type(value) for value in test["validation"].values()} <= {float, type(None)}
    resumed = xortune.resume(study.paths.folder, data=data, trials=4)
    assert resumed.summary()["test"]["scores"][metric] is None


def test_a_space_of_another_problem_is_named(csv, tmp_path):
    with pytest.raises(UsageError, match="space default is for the lab's problem. Leave it out"):
        xortune.search("default", data=csv, **{**SETTINGS, "results": tmp_path})
    with pytest.raises(UsageError, match="space table is for tables. Name one, with data"):
        xortune.search("table", results=tmp_path)
    assert [*tmp_path.glob("*-2*")] == []
