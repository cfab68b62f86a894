"""A study made of a ledger from elsewhere, and what a later state of that ledger may do to it."""

import shutil
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

import xortune
from tests.small_study import SPACE, answer, check_runs
from xortune.errors import StudyBusyError, UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.ledger.study_lock import StudyLock
from xortune.paths import StudyPaths
from xortune.studies.fetched import adopt
from xortune.trial import Replicate

SETTINGS = {"generation": 4, "log_every": 50, "runner": "inline"}
STATES = ("cut off", "half", "all", "more")


class CutOff(Exception):
    """Ends a search in the middle of a generation."""


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    """The ledger of one search at four times, and the search."""
    folder = tmp_path_factory.mktemp("far")
    kept = {}

    def keep(state):
        kept[state] = folder / f"{state}.db"
        shutil.copy(folder / "far" / "study.db", kept[state])

    def cut_off(progress):
        if progress.done == 2:
            raise CutOff

    with pytest.raises(CutOff):
        xortune.search(
            SPACE, name="far", results=folder, trials=8, pack_size=1, on_progress=cut_off,
            **SETTINGS,
        )  # fmt: skip
    keep("cut off")

    def stop(progress):
        if progress.done == 4:
            raise CutOff

    with pytest.raises(CutOff):
        xortune.resume(folder / "far", runner="inline", on_progress=stop)
    keep("half")
    xortune.resume(folder / "far", runner="inline")
    keep("all")
    xortune.resume(folder / "far", runner="inline", trials=11)
    keep("more")
    return kept


@pytest.fixture
def fetched(far, tmp_path):
    """Adopts the search as it was at a time."""

    def adopted(state):
        return adopt(lambda file: shutil.copy(far[state], file), "far", tmp_path)

    return adopted


def contents(study):
    files = (path for path in study.paths.folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if path.name != ".lock"}


@pytest.mark.parametrize("first", STATES)
@pytest.mark.parametrize("then", STATES)
def test_a_study_becomes_what_it_was_at_any_later_time(fetched, far, first, then, tmp_path):
    before = contents(fetched(first))
    if STATES.index(then) < STATES.index(first):
        with pytest.raises(UsageError, match="is kept as it is"):
            fetched(then)
        assert contents(xortune.load("far", tmp_path)) == before
        return
    study = fetched(then)
    assert study.paths.ledger.read_bytes() == far[then].read_bytes()
    assert study.paths.trials_csv.read_text().count("\n") == 1 + len(study.trials)
    assert {path.name for path in tmp_path.iterdir()} == {"far"}
    if then in ("all", "more"):
        check_runs(study)


def test_a_study_that_came_in_pieces_is_resumed_as_any_other(fetched, far, tmp_path):
    for state in ("cut off", "all"):
        fetched(state)
    resumed = xortune.resume("far", results=tmp_path, trials=11, runner="inline")
    whole = adopt(lambda file: shutil.copy(far["more"], file), "whole", tmp_path)
    assert_frame_equal(answer(resumed), answer(whole), check_exact=True)


@pytest.mark.parametrize("trials", [8, 11])
def test_a_study_that_was_resumed_here_is_kept(fetched, trials, tmp_path):
    before = contents(fetched("half"))
    resumed = xortune.resume("far", results=tmp_path, trials=trials, runner="inline")
    before = contents(resumed)
    for state in STATES:
        with pytest.raises(UsageError, match="--name 'far': .*/far .*kept as it is. Choose"):
            fetched(state)
    assert contents(resumed) == before


def test_a_resume_here_that_trained_nothing_changes_nothing(fetched, tmp_path):
    before = fetched("all").paths.ledger.read_bytes()
    resumed = xortune.resume("far", results=tmp_path, runner="inline")
    assert resumed.paths.ledger.read_bytes() == before
    fetched("more")


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("is another study: its study_seed differs", {"study_seed": 1}),
        ("is another study: its data differs", {"data": "lab"}),
        ("has a total of 9 trials, and the job of 8", {}),
    ],
)
def test_another_study_of_the_name_is_kept(fetched, tmp_path, fault, change):
    settings = {"trials": 9, **SETTINGS, **change}
    study = xortune.search(SPACE, name="far", results=tmp_path, **settings)
    before = contents(study)
    with pytest.raises(UsageError, match=fault):
        fetched("all")
    assert contents(study) == before


def test_the_same_search_run_twice_is_another_study(fetched, tmp_path):
    study = xortune.search(SPACE, name="far", results=tmp_path, trials=8, **SETTINGS)
    before = contents(study)
    with pytest.raises(UsageError, match="has trained on its own"):
        fetched("all")
    assert contents(study) == before


def test_a_driver_at_work_here_is_respected(fetched):
    study = fetched("half")
    before = contents(study)
    lock = StudyLock(study.paths)
    with pytest.raises(StudyBusyError, match="another driver is at work on it"):
        fetched("all")
    lock.release()
    assert contents(study) == before
    fetched("all")


def test_nothing_but_a_ledger_replaces_one(fetched, far, tmp_path):
    study = fetched("half")
    before = contents(study)
    whole = far["all"].read_bytes()
    for content in (b"", b"nonsense", whole[: len(whole) // 2], whole.replace(b"mse", b"mae")):
        with pytest.raises(XortuneError):
            adopt(lambda file, content=content: file.write_bytes(content), "far", tmp_path)
        assert contents(study) == before
    assert {path.name for path in tmp_path.iterdir()} == {"far"}


def test_a_fetch_that_fails_changes_nothing(fetched, tmp_path):
    study = fetched("half")
    before = contents(study)

    def fail(file: Path) -> None:
        file.write_bytes(b"some")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adopt(fail, "far", tmp_path)
    assert contents(study) == before
    assert {path.name for path in tmp_path.iterdir()} == {"far"}


def test_runs_and_tables_that_a_kill_left_out_are_written(fetched):
    study = fetched("all")
    shutil.rmtree(study.paths.tensorboard)
    study.paths.trials_csv.unlink()
    check_runs(fetched("all"))
    assert study.paths.trials_csv.exists()


def test_whoever_reads_meanwhile_reads_one_state(fetched):
    study = fetched("half")
    with Ledger.read(study.paths) as reader:
        before = list(reader.trials())
        fetched("all")
        assert list(reader.trials()) == before
    assert len(study.trials) == 8


def test_a_journal_is_not_left_beside_another_ledger(fetched):
    study = fetched("half")
    before = study.paths.ledger.read_bytes()
    study.paths.journal.write_bytes(b"\0" * 1024)
    with pytest.raises(UsageError, match="Let a resume end it: python -m xortune resume"):
        fetched("all")
    assert study.paths.ledger.read_bytes() == before


def test_a_study_with_rungs_replicates_and_a_confirmation_comes_in_pieces(tmp_path):
    """Its pruned trials lack metrics, and its first piece has trials that wait at a rung."""
    kept, there = tmp_path / "kept.db", StudyPaths(tmp_path / "there" / "far")

    def stop(progress):
        with Ledger.read(there) as ledger:
            if progress.done >= 27 and ledger.paused():
                raise CutOff

    how = {"runner": "inline", "engine": "eager", "pack_size": 9}
    with pytest.raises(CutOff):
        xortune.search(
            SPACE, name="far", results=tmp_path / "there", trials=40, replicates=2,
            pruner="halving", rung_epochs=(10, 30), confirm="2:8", on_progress=stop, **how,
        )  # fmt: skip
    shutil.copy(there.ledger, kept)
    whole = xortune.resume(there.folder, runner="inline")
    for file in (kept, there.ledger):
        study = adopt(lambda target, file=file: shutil.copy(file, target), "far", tmp_path)
    assert_frame_equal(study.trials, whole.trials, check_exact=True)
    assert set(study.trials["state"]) >= {"COMPLETE", "PRUNED"}
    number = int(study.recommended["number"])
    assert_frame_equal(study.replicates(number), whole.replicates(number), check_exact=True)


def test_a_study_that_was_confirmed_here_is_kept(fetched, tmp_path):
    study = fetched("all")
    with Ledger.open(study.paths) as ledger:
        trial = int(study.best["number"])
        scores = ledger.trial(trial).outcome.scores
        ledger.add_replicates([(trial, Replicate(900, "COMPLETE", scores, 0.5))])
    with pytest.raises(UsageError, match=f"of its own: the job's trial {trial} has others"):
        fetched("more")
