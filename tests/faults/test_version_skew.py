"""Going on with a study that was begun with other software."""

import dataclasses

import pytest
from studies import SETTINGS, SPACE, check_undisturbed

import xortune
from xortune.cli import main
from xortune.errors import UsageError
from xortune.ledger import Ledger


@pytest.fixture
def begun(tmp_path):
    """A study that has seven of its trials, in the middle of a generation."""
    return xortune.search(
        SPACE, name="begun", results=tmp_path, runner="inline", **{**SETTINGS, "trials": 7}
    )


def record(study, **settings):
    with Ledger.open(study.paths) as ledger:
        ledger.write_settings(dataclasses.replace(ledger.settings(), **settings))


def resume(study, **options):
    return xortune.resume(study.paths.folder, trials=22, runner="inline", **options)


def test_versions_are_recorded(begun):
    assert begun.settings.versions.keys() == {"optuna", "torch"}
    assert begun.settings.versions["torch"].startswith("2.")


def test_the_same_software_goes_on_without_a_word(begun, undisturbed):
    check_undisturbed(resume(begun), undisturbed)


@pytest.mark.parametrize(
    ("recorded", "words"),
    [
        ({"versions": {"torch": "1.0"}}, ["torch was 1.0, here it is 2.", "last digits"]),
        ({"versions": {"optuna": "1.0"}}, ["optuna was 1.0, here it is 5.", "other trials"]),
        ({"engine": "compiled-0"}, ["engine compiled-0", "eager-1 and compiled-1", "last digits"]),
    ],
    ids=["torch", "optuna", "engine"],
)
def test_other_software_needs_force(begun, undisturbed, recorded, words, capsys):
    record(begun, **recorded)
    before = begun.paths.ledger.read_bytes()
    code = main(["resume", str(begun.paths.folder), "--trials", "22", "--runner", "inline"])
    message = capsys.readouterr().err
    assert code == 2
    assert all(word in message for word in words)
    assert "Install what it was begun with, or go on with --force." in message
    assert begun.paths.ledger.read_bytes() == before
    check_undisturbed(resume(begun, force=True), undisturbed)
    check_undisturbed(xortune.resume(begun.paths.folder), undisturbed)


def test_several_changes_are_said_together(begun):
    record(begun, versions={"torch": "1.0", "optuna": "2.0"}, engine="eager-0")
    with pytest.raises(UsageError, match=r"eager-0.*optuna was 2\.0.*torch was 1\.0"):
        resume(begun)


def test_with_force_a_generation_is_filled_up_though_its_proposals_changed(begun):
    record(begun, versions={"optuna": "1.0"}, study_seed=5)
    study = resume(begun, force=True)
    assert set(study.trials["state"]) == {"COMPLETE", "FAIL"}
    assert len(study.trials) == 22
