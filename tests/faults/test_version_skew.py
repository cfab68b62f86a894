"""Going on with a study that was begun with other software."""

import dataclasses

import pytest

import xortune
from tests.make import COMPILED, EAGER
from tests.small_study import SETTINGS, SPACE, check_undisturbed
from xortune.cli import main
from xortune.errors import UsageError
from xortune.ledger import Ledger


@pytest.fixture
def begin(tmp_path):
    """Begins a study that has seven of its trials, in the middle of a generation."""

    def begin(engine="auto", trials=7):
        fixed = {**SETTINGS, "trials": trials}
        return xortune.search(
            SPACE, name=engine, results=tmp_path, runner="inline", engine=engine, **fixed
        )

    return begin


@pytest.fixture
def begun(begin):
    return begin()


def record(study, **settings):
    with Ledger.open(study.paths) as ledger:
        of_settings = {k: v for k, v in settings.items() if k in ledger.settings().to_dict()}
        of_provenance = {k: v for k, v in settings.items() if k not in of_settings}
        ledger.record(
            dataclasses.replace(ledger.settings(), **of_settings),
            dataclasses.replace(ledger.provenance(), **of_provenance),
        )


def resume(study, **options):
    return xortune.resume(study.paths.folder, trials=22, runner="inline", **options)


def test_versions_are_recorded(begun):
    """PyTorch's only where it trains."""
    in_c = begun.provenance.engine == COMPILED
    assert begun.provenance.versions.keys() == ({"optuna"} if in_c else {"optuna", "torch"})
    assert begun.provenance.versions["optuna"].startswith("5.")


def test_the_same_software_resumes_silently(begun, undisturbed):
    check_undisturbed(resume(begun), undisturbed)


@pytest.mark.parametrize(
    ("recorded", "words"),
    [
        ({"versions": {"optuna": "1.0"}}, ["optuna was 1.0, here it is 5.", "other trials"]),
        ({"engine": "compiled-0"}, ["engine compiled-0", f"{EAGER} and {COMPILED}", "last digits"]),
    ],
    ids=["optuna", "engine"],
)
def test_other_software_needs_force(begun, undisturbed, recorded, words, capsys):
    record(begun, **recorded)
    before = begun.paths.ledger.read_bytes()
    code = main(["resume", str(begun.paths.folder), "--trials", "22", "--runner", "inline"])
    message = capsys.readouterr().err
    assert code == 2
    assert all(word in message for word in words)
    assert "Install the software that it began with, or resume it with --force." in message
    assert begun.paths.ledger.read_bytes() == before
    check_undisturbed(resume(begun, force=True), undisturbed)
    check_undisturbed(xortune.resume(begun.paths.folder), undisturbed)


def test_another_pytorch_needs_force_where_it_trains(begin):
    begun = begin("eager")
    record(begun, versions={"torch": "1.0"})
    with pytest.raises(
        UsageError, match=r"torch was 1\.0, here it is 2\..*last digits.*force=True"
    ):
        resume(begun)
    assert resume(begun, force=True).provenance.versions["torch"].startswith("2.")


def test_another_pytorch_is_accepted_where_c_trains(begun, undisturbed):
    assert begun.provenance.engine == COMPILED
    record(begun, versions={**begun.provenance.versions, "torch": "1.0"})
    check_undisturbed(resume(begun), undisturbed)


@pytest.mark.parametrize(
    ("earlier", "wanted", "now"),
    [("compiled-1", "compiled", COMPILED), ("eager-0", "eager", EAGER)],
)
def test_a_study_of_an_earlier_engine_resumes_with_its_successor(begin, earlier, wanted, now):
    """As before, it is reported without a word."""
    begun = begin(wanted)
    record(begun, engine=earlier)
    table = xortune.load(begun.paths.folder).trials
    with pytest.raises(UsageError, match=rf"the engine {earlier}.*{now}.*force=True"):
        resume(begun)
    resumed = resume(begun, force=True)
    assert resumed.provenance.engine == now
    assert len(resumed.trials) == 22
    kept = resumed.trials.sort_values("number").head(7)
    assert kept["final_loss"].tolist() == table.sort_values("number")["final_loss"].tolist()


def test_several_changes_are_reported_together(begun):
    record(begun, versions={"torch": "1.0", "optuna": "2.0"}, engine="eager-0")
    with pytest.raises(UsageError, match=r"eager-0.*optuna was 2\.0.*torch was 1\.0"):
        resume(begun)


def test_with_force_a_generation_is_completed_though_its_proposals_changed(begun):
    record(begun, versions={"optuna": "1.0"}, study_seed=5)
    study = resume(begun, force=True)
    assert "WAITING" not in set(study.trials["state"])
    assert len(study.trials) == 22
