"""Which engine trains a study of a table, and that it stays the one that was recorded."""

import pytest

import xortune
from tests.studies.test_tables import SETTINGS, SPACE, table
from xortune.errors import UsageError
from xortune.ledger import Ledger

MISSING = "no C compiler was found (CC=missing-cc)"
FEW = {**SETTINGS, "trials": 3, "confirm": "none"}


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setenv("CC", "missing-cc")


def engine_of(study):
    with Ledger.read(study.paths) as ledger:
        return ledger.provenance().engine


@pytest.mark.parametrize(
    ("wanted", "name"), [("auto", "mlp-1"), ("mlp", "mlp-1"), ("plain", "plain-1")]
)
def test_the_engine_is_chosen_and_recorded(tmp_path, caplog, wanted, name):
    study = xortune.search(SPACE, data=table(), name="s", results=tmp_path, engine=wanted, **FEW)
    assert engine_of(study) == name
    assert "slower" not in caplog.text


def test_without_a_compiler_tables_train_in_the_plain_loop_and_that_is_said_once(
    tmp_path, caplog, no_compiler
):
    study = xortune.search(SPACE, data=table(), name="s", results=tmp_path, **FEW)
    assert engine_of(study) == "plain-1"
    assert caplog.text.count(f"training with PyTorch's own loop, which is slower: {MISSING}.") == 1


def test_without_a_compiler_the_engine_in_c_is_refused(tmp_path, no_compiler):
    with pytest.raises(UsageError) as caught:
        xortune.search(SPACE, data=table(), name="s", results=tmp_path, engine="mlp", **FEW)
    assert str(caught.value) == f"engine mlp: {MISSING}. Use engine='auto'."
    assert not any(tmp_path.iterdir())


def test_a_study_in_c_is_not_continued_by_another_engine(tmp_path, monkeypatch):
    study = xortune.search(SPACE, data=table(), name="s", results=tmp_path, **FEW)
    monkeypatch.setenv("CC", "missing-cc")
    with pytest.raises(UsageError, match="began with the engine mlp-1: no C compiler was found"):
        xortune.resume(study.paths.folder, data=table(), trials=6)
    assert len(xortune.load(study.paths.folder).trials) == 3


def test_a_study_of_the_plain_loop_stays_there(tmp_path, caplog):
    study = xortune.search(SPACE, data=table(), name="s", results=tmp_path, engine="plain", **FEW)
    study = xortune.resume(study.paths.folder, data=table(), trials=6)
    assert engine_of(study) == "plain-1"
    assert "slower" not in caplog.text
