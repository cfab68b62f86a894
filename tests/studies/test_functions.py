"""Studies of a user's function: one table whatever happens, and nothing kept that could run."""

import os
import signal
import subprocess
import sys
import time

import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.small_study import answer
from xortune.errors import UsageError, XortuneError

MINE = """
import os, random
from pathlib import Path
import xortune

def train(config, report):
    if "MARK" in os.environ:
        with Path(os.environ["MARK"]).open("a") as file:
            file.write("trial\\n")
    if config["kind"] == "broken":
        raise ValueError(f"no luck with {config['x']:.1f}")
    for epoch in range(config["epochs"]):
        noise = random.random() / (epoch + 1)
        report(epoch, loss=(config["x"] - 1) ** 2 + noise, height=config["x"])
    return {"loss": (config["x"] - 1) ** 2}

problem = xortune.Problem(
    train=train,
    space={
        "x": {"min": -3.0, "max": 3.0},
        "epochs": {"min": 1, "max": 6},
        "kind": {"values": ["plain", "plain ", "broken"]},
    },
)
"""
SETTINGS = {"trials": 30, "study_seed": 4}


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The undisturbed study."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "mine.py").write_text(MINE)
    return xortune.search(problem=folder / "mine.py", name="whole", results=folder, **SETTINGS)


def test_the_study_is_worth_comparing_with(whole):
    trials = whole.trials
    assert trials["generation"].nunique() == 3
    assert set(trials["state"]) == {"COMPLETE", "FAIL"}
    failed = trials[trials["state"] == "FAIL"].iloc[0]
    assert failed["error"] == f"ValueError: no luck with {failed['x']:.1f} (mine.py:11)"
    assert list(trials.columns[3:9]) == ["x", "epochs", "kind", "final_loss", "loss", "height"]


def test_a_killed_search_is_resumed_to_the_same_table(mine, whole, tmp_path):
    mark = tmp_path / "mark"
    command = [sys.executable, "-m", "xortune", "search", "--problem", str(mine), "--quiet"]
    command += ["--trials", "30", "--study-seed", "4", "--name", "killed", "--results", "results"]
    process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "MARK": str(mark)})
    while not (mark.exists() and mark.read_text().count("trial") > 12):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    study = xortune.load("killed", tmp_path / "results")
    assert len(study.trials) < 30 or study.trials["state"].eq("WAITING").any()
    study = xortune.resume(study.paths.folder, problem=mine)
    assert_frame_equal(answer(study), answer(whole), check_exact=True)
    assert study.curves(0).equals(whole.curves(0))


@pytest.mark.parametrize("pack_size", [1, 7])
def test_the_cut_into_packs_does_not_matter(mine, whole, tmp_path, pack_size):
    study = xortune.search(
        problem=mine, name="packs", results=tmp_path, pack_size=pack_size, **SETTINGS
    )
    assert_frame_equal(answer(study), answer(whole), check_exact=True)


def test_an_extended_study_equals_one_in_one_go(mine, whole, tmp_path):
    first = xortune.search(
        problem=mine, name="grown", results=tmp_path, generation=10, **{**SETTINGS, "trials": 13}
    )
    grown = xortune.resume(first.paths.folder, problem=mine, trials=30)
    assert_frame_equal(answer(grown), answer(whole), check_exact=True)


def test_a_function_made_in_python_gives_the_table_of_its_file(mine, whole, tmp_path):
    names = {}
    exec(compile(MINE, str(mine), "exec"), names)
    study = xortune.search(problem=names["problem"], name="live", results=tmp_path, **SETTINGS)
    same = ["number", "state", "x", "epochs", "kind", "final_loss", "loss", "height"]
    assert_frame_equal(study.trials[same], whole.trials[same], check_exact=True)


def test_a_resume_names_the_function_again(mine, tmp_path):
    study = xortune.search(problem=mine, name="one", results=tmp_path, trials=4)
    with pytest.raises(
        UsageError, match=r"study one searches mine\.py.*name it again, with problem"
    ):
        xortune.resume(study.paths.folder, trials=8)
    with pytest.raises(UsageError, match="data.*Leave it out"):
        xortune.resume(study.paths.folder, trials=8, problem=mine, data="wine.csv")


def test_another_function_is_refused_and_by_force_begins_anew(mine, tmp_path):
    study = xortune.search(problem=mine, name="one", results=tmp_path, trials=12)
    before = study.trials
    mine.write_text(MINE.replace("- 1) ** 2}", "- 2) ** 2}"))
    with pytest.raises(UsageError, match=r"mine\.py' has another text.*force=True"):
        xortune.resume(study.paths.folder, problem=mine, trials=24)
    assert_frame_equal(study.trials, before)
    forced = xortune.resume(study.paths.folder, problem=mine, trials=24, force=True)
    trials = forced.trials.set_index("number").sort_index()
    old, new = trials.loc[:11], trials.loc[12:]
    assert old["rank"].isna().all()
    assert set(old["error"]) >= {"trained by an earlier version of the code"}
    kept = before.set_index("number").sort_index()
    assert old["final_loss"].equals(kept["final_loss"])
    ranked = new[new["state"] == "COMPLETE"]
    assert ranked["rank"].notna().all()
    assert forced.best["number"] >= 12
    assert ((ranked["x"] - 2) ** 2 - ranked["final_loss"]).abs().max() < 1e-9


def test_a_study_is_read_without_its_function(mine, tmp_path):
    study = xortune.search(problem=mine, name="one", results=tmp_path, trials=6)
    mine.unlink()
    loaded = xortune.load("one", tmp_path)
    assert len(loaded.trials) == 6
    assert loaded.settings.problem["text"] == MINE
    with pytest.raises(UsageError, match="no model"):
        loaded.model(int(study.best["number"]))
    assert "text" not in loaded.described()["problem"]


def test_a_finished_study_is_resumed_without_its_function(mine, tmp_path):
    study = xortune.search(problem=mine, name="one", results=tmp_path, trials=4)
    study.paths.trials_csv.unlink()
    assert len(xortune.resume(study.paths.folder).trials) == 4
    assert study.paths.trials_csv.exists()


def test_a_search_whose_first_trials_fail_alike_ends(mine, tmp_path):
    mine.write_text(MINE.replace('if config["kind"] == "broken"', 'if config["x"] < 9').replace(
        "no luck with {config['x']:.1f}", "no luck"
    ))  # fmt: skip
    with pytest.raises(XortuneError, match=r"failed alike.*ValueError: no luck \(mine\.py:11\)"):
        xortune.search(problem=mine, name="one", results=tmp_path, trials=40)
    assert len(xortune.load("one", tmp_path).trials) < 40


def test_maximised_objectives_rank_first(mine, tmp_path):
    text = MINE.replace(
        "problem = xortune.Problem(", 'problem = xortune.Problem(objective="height:max",'
    )
    mine.write_text(text)
    study = xortune.search(problem=mine, name="up", results=tmp_path, trials=12)
    ranked = study.trials[study.trials["state"] == "COMPLETE"]
    assert ranked["height"].is_monotonic_decreasing
    assert study.settings.spec.loss == "loss"


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"data": "lab"}, "data 'lab': the problem brings its own data"),
        ({"target": "y"}, "target 'y': the problem brings its own data"),
        ({"engine": "compiled"}, "engine 'compiled': must be one of auto, function"),
    ],
)
def test_settings_of_other_problems_are_refused(mine, tmp_path, keywords, words):
    with pytest.raises(UsageError, match=words):
        xortune.search(problem=mine, results=tmp_path, trials=2, **keywords)
    assert list(tmp_path.iterdir()) == [mine]


def test_a_trial_may_report_nothing_and_measure_less(tmp_path):
    def train(config, report):
        if config["x"] < 0.5:
            return config["x"]
        report(2, loss=float("nan"), gap=1.0)
        return {"loss": config["x"], "gap": float("inf"), "height": 2.0}

    problem = xortune.Problem(train, {"x": {"min": 0.0, "max": 1.0}})
    study = xortune.search(problem=problem, name="less", results=tmp_path, trials=12)
    trials = study.trials
    assert list(trials["final_loss"]) == list(trials["x"]) == list(trials["loss"])
    few = trials["x"] < 0.5
    assert trials["gap"].isna().all()
    assert trials["height"].isna().equals(few.rename("height"))
    for number, nothing in zip(trials["number"], few):
        curve = study.curves(number)
        assert list(curve.columns) == ["epoch", "loss", "gap", "height"]
        assert list(curve["epoch"]) == ([] if nothing else [2])
        assert len(list(study.paths.run(number).iterdir())) == 1
    again = xortune.resume(study.paths.folder, problem=problem, trials=13)
    assert len(again.trials) == 13


SEEDED = """
import random, xortune

def train(config, report):
    for epoch in range(1, config["epochs"] + 1):
        drawn = random.random() / epoch + config["seed"] % 7 + config.get("fold", 0)
        report(epoch, loss=(config["x"] - 1) ** 2 + drawn)
    return {"config": float(hash(repr(config)))}

problem = xortune.Problem(
    train,
    {"seed": {"min": 0, "max": 3}, "x": {"min": -3.0, "max": 3.0}, "epochs": {"value": 9}},
    cost="epochs",
)
"""
WAYS = {
    "replicates": {"replicates": 4, "folds": 2, "confirm": "2:4"},
    "pruner": {"pruner": "halving", "rung_epochs": "2,5", "confirm": "2:4"},
}


@pytest.mark.parametrize("way", WAYS)
def test_replicates_folds_and_limits_give_one_table_whatever_the_packs_and_resumes(way, tmp_path):
    file = tmp_path / "seeded.py"
    file.write_text(SEEDED)
    settings = {"problem": file, "results": tmp_path, "generation": 27, **WAYS[way]}
    whole = xortune.search(name="whole", trials=54, **settings)
    xortune.search(name="parts", trials=27, pack_size=4, **settings)
    parts = xortune.resume(tmp_path / "parts", problem=file, trials=54, pack_size=5)
    assert_frame_equal(answer(parts), answer(whole))
    assert parts.recommended.equals(whole.recommended)
    states = {"COMPLETE"} if way == "replicates" else {"COMPLETE", "PRUNED"}
    assert set(whole.trials["state"]) == states
