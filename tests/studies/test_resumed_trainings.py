"""What a resume may change of confirmation and limits, and what it says of earlier ones."""

import pytest

import xortune
from xortune.errors import UsageError, XortuneError
from xortune.ledger import Ledger

QUICK = {"trials": 12, "runner": "inline", "confirm": "3:8"}


@pytest.fixture
def study(tmp_path):
    return xortune.search("smoke", name="one", results=tmp_path, **QUICK)


def test_a_confirmation_says_nothing_of_trials_that_came_later(study):
    folder = study.paths.folder
    xortune.resume(folder, trials=3000, timeout=1e-6, pack_size=5)
    with Ledger.read(study.paths) as ledger:
        assert 12 < ledger.trials().finished < 3000
    with pytest.raises(XortuneError, match="has no confirmation"):
        _ = xortune.load(folder).recommended
    assert "recommended" not in xortune.load(folder).summary()


def test_a_confirmation_is_withdrawn_and_made_again(study, caplog):
    folder, before = study.paths.folder, study.recommended
    xortune.resume(folder, confirm="none")
    assert "its confirmation is withdrawn" in caplog.text
    with pytest.raises(XortuneError, match="has no confirmation"):
        _ = xortune.load(folder).recommended
    again = xortune.resume(folder, confirm="3:8")
    assert again.recommended.equals(before)


@pytest.mark.parametrize(
    ("given", "narrower", "wider"),
    [
        ({"plateau": 10}, {"plateau": 5}, {"plateau": 12}),
        ({"epoch_budget": 900}, {"epoch_budget": 100}, {"epoch_budget": "none"}),
        ({"stop_at": 1e-3}, {"stop_at": 1e-2}, {"stop_at": 1e-9}),
    ],
    ids=["plateau", "epoch_budget", "stop_at"],
)
def test_limits_only_become_wider(tmp_path, given, narrower, wider):
    study = xortune.search(
        "smoke", name="one", results=tmp_path, **{**QUICK, "trials": 60}, **given
    )
    with pytest.raises(UsageError, match="a resume takes a wider limit, or"):
        xortune.resume(study.paths.folder, **narrower)
    with Ledger.read(study.paths) as ledger:
        finished = ledger.trials().finished
    assert len(xortune.resume(study.paths.folder, **wider).trials) >= finished


def test_a_pruned_trial_has_no_model(tmp_path):
    study = xortune.search("smoke", name="one", results=tmp_path, pruner="halving", **QUICK)
    pruned = study.trials.query("state == 'PRUNED'").iloc[0]
    epoch = int(pruned["pruned_epoch"])
    with pytest.raises(UsageError, match=f"was pruned at epoch {epoch}. Name a complete trial"):
        study.predict(int(pruned["number"]), [0, 1])


def test_seeds_are_a_multiple_of_the_folds(tmp_path):
    def train(config, report):
        return config["x"] + config["fold"]

    problem = xortune.Problem(train, space={"x": {"min": 0.0, "max": 1.0}})
    ways = {"problem": problem, "folds": 3, "trials": 4, "results": tmp_path, "name": "one"}
    with pytest.raises(UsageError, match="confirm 2:4: 4 seeds must be a multiple of folds 3"):
        xortune.search(**ways, confirm="2:4")
    study = xortune.search(**ways, confirm="2:3", runner="inline")
    with pytest.raises(UsageError, match="seeds 4: must be a multiple of folds 3"):
        study.luck(0, 4, problem=problem)
    best = study.best
    assert study.luck(study.best_number, problem=problem)["loss"] == pytest.approx(best["loss"])


def test_trainings_that_confirm_a_function_are_not_pruned(tmp_path):
    def train(config, report):
        import random

        for epoch in range(1, 5):
            report(epoch, loss=config["x"] + random.random())

    problem = xortune.Problem(train, space={"x": {"min": 0.0, "max": 1.0}}, metrics=("loss",))
    study = xortune.search(
        problem=problem, trials=20, generation=5, pruner="halving", rung_epochs="1,2",
        confirm="3:6", name="one", results=tmp_path, runner="inline",
    )  # fmt: skip
    assert (study.trials["state"] == "PRUNED").any()
    trainings = study.replicates(study.recommended["number"]).query("part == 'confirmation'")
    assert set(trainings["state"]) == {"COMPLETE"}


def test_a_study_with_rungs_grows_and_shrinks(tmp_path):
    ways = {"pruner": "halving", "confirm": "none", "runner": "inline"}
    study = xortune.search("smoke", trials=30, name="one", results=tmp_path, **ways)
    folder, before = study.paths.folder, study.trials.set_index("number")["state"]
    xortune.resume(folder, trials=4000, timeout=1e-6, pack_size=1)
    with Ledger.read(study.paths) as ledger:
        asked = len(ledger.trials())
    smaller = xortune.resume(folder, trials=asked)
    assert smaller.settings.starts == (30,)
    assert len(smaller.trials) == asked
    assert smaller.trials.set_index("number")["state"].loc[before.index].equals(before)
