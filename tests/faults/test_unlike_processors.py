"""Whether a machine computes as the one that a study was begun on."""

from dataclasses import replace

import pytest

import xortune
from tests.make import COMPILED
from tests.small_study import SETTINGS, SPACE, check_undisturbed
from xortune.errors import XortuneError
from xortune.ledger import Ledger
from xortune.studies.reproduction import search_command

ENGINES = ["eager", "compiled"]
SEVERAL = "trained on several kinds of CPU: bits differ between them"


@pytest.fixture
def begin(tmp_path):
    """Begins a study that has seven of its trials."""

    def begin(engine):
        fixed = {**SETTINGS, "trials": 7}
        return xortune.search(
            SPACE, name="s", results=tmp_path, runner="inline", engine=engine, **fixed
        )

    return begin


def pretend_another_processor(study):
    """Records the bits of a machine that rounds differently."""
    with Ledger.open(study.paths) as ledger:
        other = replace(ledger.provenance(), reference={"cpu": "0" * 32})
        ledger.record(ledger.settings(), other)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_bits_of_the_reference_pack_are_recorded_once(begin, engine):
    study = begin(engine)
    recorded = study.provenance.reference
    assert recorded.keys() == {"cpu"}
    assert len(recorded["cpu"]) == 32
    assert xortune.resume(study.paths.folder, trials=9).provenance.reference == recorded


@pytest.mark.parametrize("engine", ENGINES)
def test_a_machine_that_rounds_differently_trains_nothing(begin, engine):
    study = begin(engine)
    pretend_another_processor(study)
    with pytest.raises(XortuneError, match="another kind of processor.*mixed=True"):
        xortune.resume(study.paths.folder, trials=22, runner="inline")
    states = xortune.load(study.paths.folder).trials["state"]
    assert (states != "WAITING").sum() == 7


def test_force_trains_on_any_machine(begin, undisturbed):
    study = begin("auto")
    pretend_another_processor(study)
    resumed = xortune.resume(study.paths.folder, trials=22, runner="inline", force=True)
    assert resumed.provenance.forced
    if resumed.provenance.engine == COMPILED:
        check_undisturbed(resumed, undisturbed)


def test_a_study_of_an_earlier_version_records_them_when_it_is_resumed(begin):
    study = begin("auto")
    recorded = study.provenance.reference
    with Ledger.open(study.paths) as ledger:
        ledger.record(ledger.settings(), replace(ledger.provenance(), reference={}))
    resumed = xortune.resume(study.paths.folder, trials=22, runner="inline")
    assert resumed.provenance.reference == recorded


def test_processors_are_mixed_where_that_is_asked_for_and_the_study_says_so(begin, caplog):
    study = begin("auto")
    assert "weakened" not in study.described()
    here = study.provenance.reference
    pretend_another_processor(study)
    mixed = xortune.resume(study.paths.folder, trials=22, runner="inline", mixed=True)
    assert set(mixed.trials["state"]) == {
        "COMPLETE",
        "FAIL",
    }  # The space has learning rates for both.
    assert mixed.settings.mixed
    assert not mixed.provenance.forced
    # The first one's stay as they were.
    assert mixed.provenance.reference == {"cpu": "0" * 32}
    assert mixed.provenance.other_references == {"cpu": tuple(here.values())}
    assert caplog.text.count("rounds differently from the study's first one") == 1
    assert mixed.summary()["weakened"] == SEVERAL
    assert SEVERAL in mixed.html().read_text()
    again = xortune.resume(study.paths.folder, trials=24, runner="inline")
    assert again.provenance.other_references == mixed.provenance.other_references
    assert "--mixed" in search_command(again)[0]


def test_a_study_that_may_mix_processors_says_so_before_it_does(tmp_path):
    study = xortune.search(
        SPACE, name="s", results=tmp_path, runner="inline", mixed=True, **{**SETTINGS, "trials": 7}
    )
    assert study.provenance.other_references == {}
    assert study.summary()["weakened"].startswith("may be trained on several kinds of CPU")
