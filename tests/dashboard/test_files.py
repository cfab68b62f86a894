"""A study in a file of Optuna's: all of it, in place at once, and never over anything else."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import optuna
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

import xortune
from tests.cli.commands import contents
from tests.dashboard.studies import mixed_study
from tests.dashboard.test_storage import as_values
from tests.ledger.rungs import new_study, rung_settings
from xortune.dashboard import files
from xortune.dashboard.files import export_to_optuna
from xortune.dashboard.journal import write_journal
from xortune.dashboard.relational import write_relational
from xortune.dashboard.written import Written
from xortune.errors import UsageError
from xortune.paths import StudyPaths

JOURNALS, DATABASES = ("log", "journal", "LOG"), ("db", "sqlite3")
ENDINGS = (*JOURNALS, *DATABASES)


def opened(file: Path) -> BaseStorage:
    """As the guide tells users to open it."""
    if file.suffix[1:] in JOURNALS:
        return JournalStorage(JournalFileBackend(str(file)))
    return RDBStorage(f"sqlite:///{file}")


def closed(storage: BaseStorage) -> None:
    if isinstance(storage, RDBStorage):
        storage.remove_session()
        storage.engine.dispose()


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return mixed_study(tmp_path_factory.mktemp("made") / "one").folder


@pytest.fixture
def paths(made, tmp_path) -> StudyPaths:
    return StudyPaths(shutil.copytree(made, tmp_path / "results" / "one"))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_holds_every_trial_as_the_study_in_memory(paths, tmp_path, ending):
    file = tmp_path / f"with space?{{}}%41.{ending}"
    before = contents(paths.folder)
    written = export_to_optuna(paths, file)
    assert written.trials == 8
    assert contents(paths.folder) == before
    assert {path.name for path in tmp_path.iterdir()} == {"results", file.name}
    if ending in DATABASES:
        file = file.rename(tmp_path / f"plain.{ending}")  # which SQLAlchemy can open
    storage = opened(file)
    study = optuna.load_study(study_name="one", storage=storage)
    own = xortune.load(paths.folder)
    assert as_values(study.trials) == as_values(own.optuna().trials)
    assert [trial.state.name for trial in study.trials[:4]] == [
        "COMPLETE", "COMPLETE", "PRUNED", "FAIL",
    ]  # fmt: skip
    assert study.best_trial.number == own.best_number
    assert study.metric_names == ["mse"]
    assert study.user_attrs["problem"] == "xor"
    study.enqueue_trial({"lr": 0.5})  # It is a storage like any other.
    closed(storage)


@pytest.mark.parametrize("ending", ["log", "db"])
def test_a_study_without_trials_and_one_that_waits(tmp_path, ending):
    paths = new_study(tmp_path / "waiting", rung_settings())
    export_to_optuna(paths, tmp_path / f"one.{ending}")
    storage = opened(tmp_path / f"one.{ending}")
    study = optuna.load_study(study_name="waiting", storage=storage)
    assert {trial.state for trial in study.trials} == {TrialState.WAITING}
    closed(storage)


@pytest.mark.parametrize("name", ["one", "one.csv", "one.log.gz", ".log"])
def test_an_ending_that_names_no_format_is_refused(paths, tmp_path, name):
    with pytest.raises(UsageError, match=r"does not name a format. Use .log for Optuna's"):
        export_to_optuna(paths, tmp_path / name)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("ending", ["log", "db"])
def test_a_file_that_exists_is_kept_unless_force(paths, tmp_path, ending):
    file = tmp_path / f"mine.{ending}"
    file.write_text("mine")
    with pytest.raises(UsageError, match="exists already. Choose another name, or replace it with"):
        export_to_optuna(paths, file)
    assert file.read_text() == "mine"
    export_to_optuna(paths, file, force=True)
    storage = opened(file)
    assert optuna.get_all_study_names(storage) == ["one"]
    closed(storage)


def test_a_file_that_appears_meanwhile_is_kept(paths, tmp_path, monkeypatch):
    def write(written: Written, new: Path) -> None:
        new.write_text("new")
        (tmp_path / "one.log").write_text("mine")

    monkeypatch.setitem(files._FORMATS, ".log", write)
    with pytest.raises(UsageError, match="exists already"):
        export_to_optuna(paths, tmp_path / "one.log")
    assert (tmp_path / "one.log").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"results", "one.log"}


def test_a_link_is_replaced_and_not_followed(paths, tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "one.log").symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="exists already"):
        export_to_optuna(paths, tmp_path / "one.log")
    export_to_optuna(paths, tmp_path / "one.log", force=True)
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "one.log").is_symlink()


@pytest.mark.parametrize("name", ["study.db", "other.log", "tensorboard/x.db", "../one/x.log"])
@pytest.mark.parametrize("force", [False, True])
def test_nothing_is_written_into_the_folder_of_the_study(paths, name, force):
    before = contents(paths.folder)
    with pytest.raises(UsageError, match="the study keeps its own files there"):
        export_to_optuna(paths, paths.folder / name, force=force)
    assert contents(paths.folder) == before


def test_a_folder_is_not_replaced(paths, tmp_path):
    (tmp_path / "one.log").mkdir()
    with pytest.raises(UsageError, match="is a folder. Name a file"):
        export_to_optuna(paths, tmp_path / "one.log", force=True)


@pytest.mark.parametrize("ending", ["log", "db"])
def test_a_place_where_nothing_can_be_written(paths, tmp_path, ending):
    (tmp_path / "file").write_text("")
    for folder in ("missing", "file"):
        with pytest.raises(UsageError, match=r"cannot be written: .*\. Choose another file"):
            export_to_optuna(paths, tmp_path / folder / f"one.{ending}")
    assert not (tmp_path / "missing").exists()


def test_a_damaged_study_writes_nothing(paths, tmp_path):
    with closing(sqlite3.connect(paths.ledger)) as connection, connection:
        connection.execute("UPDATE trial SET worker = 'another' WHERE number = 1")
    with pytest.raises(UsageError, match="the row of trial 1 is not as it was written"):
        export_to_optuna(paths, tmp_path / "one.log")
    assert not (tmp_path / "one.log").exists()


DISTRIBUTIONS: dict[str, tuple[BaseDistribution, st.SearchStrategy[Any]]] = {
    "rate": (FloatDistribution(1e-9, 1e9, log=True), st.floats(1e-9, 1e9)),
    "width": (IntDistribution(-(2**53), 2**53), st.integers(-(2**53), 2**53)),
    "kind": (CategoricalDistribution(("a", "é\n\0")), st.sampled_from(("a", "é\n\0"))),
    "deep": (CategoricalDistribution((False, True)), st.booleans()),
    "size": (CategoricalDistribution((0.5, 3)), st.sampled_from((0.5, 3))),
}
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.none() | st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1))


@st.composite
def frozen(draw: st.DrawFn, number: int) -> FrozenTrial:
    """A trial as a study can have it."""
    state = draw(st.sampled_from(["COMPLETE", "PRUNED", "FAIL", "WAITING"]))
    names = [name for name in DISTRIBUTIONS if draw(st.booleans())]
    start = draw(TIMES) if state != "WAITING" else None
    steps = st.dictionaries(st.integers(0, 2**31), NUMBERS | st.sampled_from((inf, -inf)))
    return FrozenTrial(
        number=number,
        trial_id=number,
        state=TrialState[state],
        value=None,
        values=[draw(NUMBERS), draw(NUMBERS)] if state == "COMPLETE" else None,
        datetime_start=start,
        datetime_complete=None if start is None else start + timedelta(milliseconds=1.5),
        params={name: draw(DISTRIBUTIONS[name][1]) for name in names},
        distributions={name: DISTRIBUTIONS[name][0] for name in names},
        user_attrs=draw(st.dictionaries(st.sampled_from(("gap", "error")), NUMBERS | st.text())),
        system_attrs={},
        intermediate_values=draw(steps),
    )


@st.composite
def studies(draw: st.DrawFn) -> Written:
    directions = [StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE]
    trials: Sequence[FrozenTrial] = [draw(frozen(n)) for n in range(draw(st.integers(1, 12)))]
    return Written("drawn", directions, {"trials": len(trials)}, {}, trials)


@settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(written=studies())
def test_what_is_written_is_read_by_optuna(written):
    with TemporaryDirectory() as folder:
        for write, name in ((write_journal, "one.log"), (write_relational, "one.db")):
            write(written, Path(folder) / name)
            storage = opened(Path(folder) / name)
            study = optuna.load_study(study_name="drawn", storage=storage)
            assert as_values(study.trials) == as_values(list(written.trials)), name
            assert study.directions == written.directions
            assert study.user_attrs == written.user_attrs
            closed(storage)
