"""Studies of version 3 from before replicates, rungs and stops: they are read and written."""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.faults.driver.forgery import forge
from tests.make import (
    make_curve,
    make_outcome,
    make_provenance,
    make_scores,
    make_settings,
    make_trial,
)
from tests.small_study import SPACE, answer
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.settings import StudySettings
from xortune.trial import FinishedTrial, Replicate

# The settings that those studies do not have.
LATER = (
    "replicates", "folds", "aggregate", "confirm", "pruner", "rungs", "starts", "stop_at",
    "plateau", "epoch_budget", "findings", "outdated",
)  # fmt: skip
SETTINGS = make_settings(trials=6)
CURVE = make_curve((0, 5), (1.0, 0.5), (1.0, 0.25))


def finished(number: int) -> FinishedTrial:
    state = "FAIL" if number == 2 else "COMPLETE"
    return FinishedTrial(make_trial(number, seed=number), make_outcome(state, curve=CURVE))


@pytest.fixture
def paths(tmp_path) -> StudyPaths:
    """Six trials, of which four are finished, as an earlier xortune recorded them."""
    paths = StudyPaths(tmp_path / "one")
    with Ledger.create(paths, SETTINGS, make_provenance()) as ledger:
        ledger.add_trials(make_trial(number, seed=number) for number in range(6))
        ledger.finish_trials([finished(number) for number in range(4)])
    forge(paths.folder, *(f"DELETE FROM setting WHERE key = '{key}'" for key in LATER))
    return paths


def test_the_settings_are_those_of_this_version():
    assert {*LATER} - {"findings", "outdated"} < {field.name for field in fields(StudySettings)}


def test_an_earlier_study_is_read_as_it_was_written(paths):
    before = paths.ledger.read_bytes()
    with Ledger.read(paths) as ledger:
        assert ledger.settings() == SETTINGS
        assert (ledger.findings(), ledger.provenance().outdated) == ({}, ())
        assert ledger.trials().scores(3) == make_scores()
        assert (ledger.paused(), ledger.all_replicates(0), ledger.replicates(0)) == ({}, {}, [])
        assert ledger.curve(1) == CURVE
    assert paths.ledger.read_bytes() == before


def test_an_earlier_study_is_reported(paths):
    table = xortune.load(paths.folder).trials
    assert [*table["state"]] == ["COMPLETE"] * 3 + ["FAIL"] + ["WAITING"] * 2
    assert not {"pruned_epoch", "final_loss_std", "replicates"} & {*table.columns}


def test_an_earlier_study_is_continued_and_confirmed(paths):
    confirmed = Replicate(1, "COMPLETE", make_scores(), 0.5)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([finished(4), finished(5)], forget=[0])
        ledger.record(make_settings(trials=6, confirm=(2, 1)), ledger.provenance())
        ledger.add_replicates([(3, confirmed)])
    with Ledger.read(paths) as ledger:
        assert ledger.trials().finished == 6
        assert ledger.all_replicates(1) == {3: [confirmed]}
        assert ledger.settings().confirm == (2, 1)


def test_an_earlier_study_is_resumed_to_the_table_of_an_undisturbed_one(tmp_path):
    how = {"engine": "eager", "runner": "inline", "generation": 4, "confirm": "none"}
    whole = xortune.search(SPACE, name="whole", results=tmp_path, trials=9, **how)
    study = xortune.search(SPACE, name="cut", results=tmp_path, trials=6, **how)
    forge(study.paths.folder, *(f"DELETE FROM setting WHERE key = '{key}'" for key in LATER))
    resumed = xortune.resume("cut", results=tmp_path, trials=9, runner="inline")
    assert_frame_equal(answer(resumed), answer(whole), check_exact=True)


def test_a_study_of_version_2_is_confirmed_once_it_is_upgraded(tmp_path):
    earlier = Path(__file__).parent / "version2" / "finished"
    paths = StudyPaths(Path(shutil.copytree(earlier, tmp_path / "one")))
    confirmed = Replicate(1, "COMPLETE", make_scores(), 0.5)
    with Ledger.open(paths) as ledger:
        assert (ledger.paused(), ledger.all_replicates(0), ledger.replicates(0)) == ({}, {}, [])
        ledger.add_replicates([(0, confirmed)])
        assert ledger.replicates(0) == [confirmed]
    with Ledger.read(paths) as ledger:
        assert ledger.all_replicates(1) == {0: [confirmed]}
