"""The studies of a results folder."""

import os
from datetime import datetime, timezone

import pytest

from tests.make import make_outcome, make_provenance, make_settings, make_trial
from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.studies.listing import studies_in
from xortune.trial import FinishedTrial


def make_study(results, name, finished=2, trials=2, at=1_000_000_000, findings=None):
    """A study whose ledger was changed at a time, in seconds since 1970."""
    paths = StudyPaths(results / name)
    with Ledger.create(paths, make_settings(trials=trials), make_provenance()) as ledger:
        ledger.add_trials(map(make_trial, range(trials)))
        done = [FinishedTrial(make_trial(n), make_outcome()) for n in range(finished)]
        ledger.finish_trials(done)
        if findings:
            ledger.record(ledger.settings(), ledger.provenance(), findings)
    os.utime(paths.ledger, (at, at))
    return paths


def test_studies_come_with_their_states_those_changed_last_first(tmp_path):
    stopped = {"after": 1, "reason": "r"}
    make_study(tmp_path, "whole", at=5)
    make_study(tmp_path, "half", finished=1, at=4)
    make_study(
        tmp_path, "late", finished=1, at=3, findings={"stopped": {"by": "timeout", **stopped}}
    )
    make_study(
        tmp_path, "good", finished=1, at=2, findings={"stopped": {"by": "stop_at", **stopped}}
    )
    make_study(tmp_path, "a", finished=0, at=2)
    found = studies_in(tmp_path).studies
    assert [(one.name, one.state, one.finished, one.trials, one.best) for one in found] == [
        ("whole", "finished", 2, 2, 0.25),
        ("half", "interrupted", 1, 2, 0.25),
        ("late", "interrupted", 1, 2, 0.25),
        ("a", "interrupted", 0, 2, None),
        ("good", "finished", 1, 2, 0.25),
    ]  # fmt: skip
    assert found[0].changed == datetime(1970, 1, 1, 0, 0, 5, tzinfo=timezone.utc)
    assert (found[0].problem, found[0].objective, found[0].direction) == ("xor", "mse", "minimize")


def test_a_study_runs_while_its_driver_does(tmp_path):
    paths = make_study(tmp_path, "one", finished=1)
    with Ledger.open(paths):
        assert [one.state for one in studies_in(tmp_path).studies] == ["running"]
    assert [one.state for one in studies_in(tmp_path).studies] == ["interrupted"]


def test_damaged_studies_and_other_folders_are_named(tmp_path):
    paths = make_study(tmp_path, "one")
    paths.ledger.write_bytes(b"hello")
    StudyPaths(tmp_path / "empty").folder.mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "README.md").write_text("x")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "study.db").symlink_to("nowhere")
    found = studies_in(tmp_path)
    assert [(one.name, one.state) for one in found.studies] == [
        ("linked", "damaged"),
        ("one", "damaged"),
    ]
    assert "is not a study ledger" in str(found.studies[1].error)
    assert "a link" in str(found.studies[0].error)
    assert found.others == ["empty"]


def test_a_folder_that_is_none_or_a_study_is_refused(tmp_path):
    paths = make_study(tmp_path, "one")
    with pytest.raises(UsageError, match="is a study. Name the folder that holds it"):
        studies_in(paths.folder)
    with pytest.raises(UsageError, match="cannot be read: No such file or directory"):
        studies_in(tmp_path / "none")
    with pytest.raises(UsageError, match="cannot be read: Not a directory"):
        studies_in(paths.ledger)


def test_a_study_is_listed_without_reading_its_table(tmp_path, monkeypatch):
    make_study(tmp_path, "one")
    monkeypatch.setattr(Ledger, "trials", lambda self: pytest.fail("the table was read"))
    assert studies_in(tmp_path).studies[0].best == 0.25
