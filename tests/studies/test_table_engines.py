"""Which engine trains a study of a table, and that it stays the one that was recorded."""

import pytest

import xortune
from tests.studies.test_tables import SETTINGS, SPACE, table
from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.problems.table.spec import table_spec
from xortune.problems.table.table import load_table
from xortune.space import load_space
from xortune.studies.problems.table_engines import engine_choice

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


def test_a_network_that_no_study_can_keep_is_refused(tmp_path):
    space = {**SPACE, "width": {"values": [8, 4096]}, "depth": {"value": 5}}
    with pytest.raises(UsageError, match=r"width 4,096 and depth 5 has 67,\d+,\d+ weights"):
        xortune.search(space, data=table(), name="s", results=tmp_path, **FEW)
    assert not any(tmp_path.iterdir())


def test_huge_networks_train_in_the_plain_loop(caplog):
    caplog.set_level("INFO")
    loaded = load_table(table(), target="y")
    spec = table_spec("binary")
    for width, name in ((1024, "mlp-1"), (3072, "plain-1")):
        space = load_space({"width": {"value": width}, "depth": {"value": 2}}, spec)
        assert engine_choice(loaded, "auto", spec, space).decide("cpu").name == name
    assert "with PyTorch's own loop: the space has networks of 9,4" in caplog.text


def test_small_batches_are_expected_to_take_longer():
    loaded = load_table(table(), target="y")
    spec = table_spec("binary")
    one, other = (
        engine_choice(loaded, "plain", spec, load_space({"batch_size": {"value": n}}, spec))
        .decide("cpu")
        .pace("cpu")
        for n in (1, 32)
    )
    assert other.cost_per_s > 10 * one.cost_per_s
