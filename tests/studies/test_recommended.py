"""What a study tells of single trials: the one to use, their luck, and their trainings."""

import math

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import xortune
from xortune.errors import UsageError, XortuneError
from xortune.wording import for_the_shell

SPACE = {
    "lr": {"distribution": "log_uniform_values", "min": 0.1, "max": 10.0},
    "epochs": {"min": 200, "max": 800},
    "seed": {"min": 0, "max": 99},
    "loss_fn": {"values": ["mse", "bce"]},
}
COLUMNS = [
    *("replicate", "part", "seed", "fold", "state", "train_loss", "mse", "bce", "accuracy"),
    *("duration_s", "error"),
]


def searched(folder, name, **settings):
    keywords = {"trials": 12, "runner": "inline", "name": name, "results": folder, **settings}
    return xortune.search(keywords.pop("space", SPACE), **keywords)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def confirmed(results):
    """A study whose best four trials are confirmed on 16 seeds each."""
    return searched(results, "confirmed", confirm="4:16")


@pytest.fixture(scope="module")
def plain(results):
    """The same study without a confirmation."""
    return searched(results, "plain", confirm="none")


@pytest.fixture(scope="module")
def replicated(results):
    """A study of five replicates, confirmed."""
    return searched(results, "replicated", replicates=5, confirm=(3, 16))


def test_the_recommended_trial_is_the_best_confirmed_one(confirmed):
    used, found = confirmed.recommended, confirmed.summary()["confirmation"]
    assert used["number"] == found["recommended"] == found["trials"][0]["number"]
    assert used["mse"] == min(entry["value"] for entry in found["trials"])
    assert [*used.index] == [
        *("number", "lr", "epochs", "loss_fn", "mse", "std", "seeds", "failed"),
        *("solved_share", "solved_low", "solved_high"),
    ]
    row = confirmed.trials.set_index("number").loc[used["number"]]
    assert used["lr"] == row["lr"]
    assert used["seeds"] == 16
    assert used["solved_low"] <= used["solved_share"] <= used["solved_high"]


def test_the_table_is_that_of_a_study_without_a_confirmation(confirmed, plain):
    columns = [name for name in plain.trials if name not in ("duration_s", "worker")]
    assert_frame_equal(confirmed.trials[columns], plain.trials[columns], check_exact=True)


def test_the_numbers_of_the_trainings_come_to_those_of_the_recommendation(confirmed):
    used = confirmed.recommended
    trainings = confirmed.replicates(used["number"])
    # The race took 16 seeds, and the winner is judged on 16 others.
    assert [*trainings["part"]] == ["search", *["confirmation"] * 32]
    fresh = trainings[-16:]
    assert used["mse"] == math.fsum(fresh["mse"]) / 16
    assert used["std"] == pytest.approx(fresh["mse"].std())
    assert used["solved_share"] == (fresh["accuracy"] == 1).mean()


def test_without_a_confirmation_the_remedy_is_named(plain):
    with pytest.raises(XortuneError, match=r"xortune.resume\('.*plain', confirm='32:256'\)"):
        _ = plain.recommended
    with for_the_shell(), pytest.raises(XortuneError, match="resume .*plain --confirm 32:256"):
        _ = plain.recommended
    assert "recommended" not in plain.summary()


def test_a_resume_adds_the_confirmation(plain, confirmed, results):
    study = searched(results, "later", confirm="none")
    resumed = xortune.resume(study.paths.folder, confirm=(4, 16), runner="inline")
    assert resumed.summary()["confirmation"] == confirmed.summary()["confirmation"]


def test_luck_is_what_a_confirmation_on_the_same_seeds_finds(plain, confirmed):
    found = confirmed.summary()
    # The winner is judged on further seeds, and the first in rank may be.
    judged = {found["first"], found["confirmation"]["recommended"]}
    others = [e for e in found["confirmation"]["trials"] if e["number"] not in judged]
    assert others
    for entry in others:
        luck = plain.luck(entry["number"], 16)
        assert (luck["mse"], luck["std"], luck["failed"]) == (
            entry["value"],
            entry["std"],
            entry["failed"],
        )


def test_luck_takes_seeds_that_the_confirmation_has_not_used(confirmed):
    used = confirmed.recommended
    luck = confirmed.luck(used["number"], 16)
    assert luck["seeds"] == 16
    assert [*luck.index] == [*used.index]
    assert luck["mse"] != used["mse"]


def test_luck_records_nothing(plain):
    before = plain.paths.ledger.read_bytes()
    first, second = plain.luck(0, 8), plain.luck(np.int64(0), 8)
    assert first.equals(second)
    assert plain.paths.ledger.read_bytes() == before


@pytest.mark.parametrize("seeds", [1, 0, 10_001, 2.5, "8"])
def test_luck_wants_a_number_of_seeds(plain, seeds):
    with pytest.raises(UsageError, match="seeds .*: must be a whole number from 2 to 10000"):
        plain.luck(0, seeds)


def test_luck_and_trainings_are_of_trials_that_there_are(plain):
    for ask in (plain.luck, plain.replicates):
        with pytest.raises(UsageError, match="no trial 99; its trials: 0 to 11"):
            ask(99)


def test_luck_of_a_replicated_trial(replicated):
    luck = replicated.luck(replicated.best_number, 8)
    assert luck["seeds"] == 8
    assert "seed" not in luck


def test_the_trainings_of_a_trial_with_a_seed_of_its_own(confirmed):
    trial = confirmed.trials.iloc[0]
    trainings = confirmed.replicates(trial["number"])
    assert [*trainings] == COLUMNS
    first = trainings.iloc[0]
    assert (first["replicate"], first["part"]) == (0, "search")
    assert (first["seed"], first["mse"]) == (trial["seed"], trial["mse"])
    assert trainings["seed"].is_unique
    assert trainings["fold"].isna().all()


def test_the_trainings_of_a_trial_that_was_not_confirmed(plain):
    trainings = plain.replicates(3)
    assert len(trainings) == 1
    assert trainings.loc[0, "state"] == "COMPLETE"


def test_the_trainings_of_replicates_come_to_their_trial(replicated):
    row = replicated.trials.iloc[0]
    trainings = replicated.replicates(row["number"])
    search = trainings[trainings["part"] == "search"]
    assert [*search["replicate"]] == [0, 1, 2, 3, 4]
    assert row["final_loss"] == math.fsum(search["mse"]) / 5
    assert row["final_loss_std"] == pytest.approx(search["mse"].std())
    assert row["solved_share"] == (search["accuracy"] == 1).mean()
    assert set(trainings["part"]) == {"search", "confirmation"}
    assert trainings["seed"].is_unique


def test_a_trial_of_replicates_is_trained_again_for_its_model(replicated, monkeypatch):
    number = int(replicated.trials.iloc[0]["number"])
    kept = replicated.predict(number, [0, 1])
    monkeypatch.setattr("xortune.ledger.Ledger.weights", lambda *_: None)
    assert replicated.predict(number, [0, 1]) == kept


def test_a_failed_training_has_its_error(results):
    space = {
        "lr": {"value": 3e38},
        "loss_fn": {"value": "bce_with_logits"},
        "epochs": SPACE["epochs"],
    }
    study = searched(results, "failing", space=space, trials=2, replicates=2)
    trainings = study.replicates(0)
    failed = trainings[trainings["state"] == "FAIL"]
    assert len(failed)
    assert failed["error"].str.contains("not finite").all()
    assert failed["mse"].isna().all()


def test_a_stop_is_in_the_summary_and_a_resume_lifts_it(results):
    study = searched(results, "stopped", trials=60, stop_at=10.0, generation=10, confirm="none")
    assert len(study.trials) == 10
    assert study.stopped_by == "stop_at"
    assert study.summary()["stopped"]["after"] == 10
    resumed = xortune.resume(study.paths.folder, stop_at="none", runner="inline")
    assert len(resumed.trials) == 60
    assert resumed.stopped_by is None
    assert "stopped" not in resumed.summary()


def test_the_same_search_again_is_the_same_study(results, confirmed):
    again = searched(results, "confirmed", confirm="4:16", exist_ok=True)
    assert again.paths == confirmed.paths
    with pytest.raises(UsageError, match="confirm is 4:16 there and none here"):
        searched(results, "confirmed", confirm="none", exist_ok=True)
    with pytest.raises(UsageError) as caught:
        searched(results, "confirmed", confirm="4:16", replicates=3, exist_ok=True)
    assert "replicates is 1 there and 3 here" in str(caught.value)
    assert "another" not in str(caught.value).partition("Choose")[0]


def test_a_confirmation_of_its_own_choice_fits_any(results):
    first = searched(results, "own")
    again = searched(results, "own", exist_ok=True)
    assert pd.Series(first.recommended).equals(again.recommended)


def test_predictions_are_those_of_the_best_trial_unless_another_is_named(plain):
    assert plain.predict(inputs=[0, 1]) == plain.predict(plain.best_number, [0, 1])
    with pytest.raises(UsageError, match="give inputs, such as"):
        plain.predict(3)
