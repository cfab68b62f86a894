"""The storage over ledgers behaves as Optuna's own, and writes nothing."""

from __future__ import annotations

import inspect
import shutil
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

import xortune
from tests.cli.commands import contents
from tests.dashboard.studies import SETTINGS, SPEC, finished, mixed_study
from tests.ledger.rungs import new_study, rung_settings
from xortune.dashboard.storage import READ_ONLY, LedgerStorage
from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths, studies_in

FIELDS = (
    "number", "state", "values", "params", "distributions", "user_attrs", "intermediate_values",
    "datetime_start", "datetime_complete",
)  # fmt: skip
STATES = [
    None, (), (TrialState.COMPLETE,), (TrialState.PRUNED, TrialState.FAIL), (TrialState.RUNNING,),
    (TrialState.WAITING,),
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("made")
    mixed_study(made / "one")
    new_study(made / "two", rung_settings(trials=8))
    return made


@pytest.fixture
def results(made, tmp_path) -> Path:
    return shutil.copytree(made, tmp_path / "results")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def storage(results, said) -> LedgerStorage:
    return LedgerStorage(lambda: studies_in(results), said.append)


@pytest.fixture
def memory(results) -> tuple[BaseStorage, int]:
    """Optuna's own storage, with the trials of the study `one`, and the study's id there."""
    study = xortune.load("one", results).optuna()
    return study._storage, study._study_id


def as_values(trials: list[optuna.trial.FrozenTrial]) -> list[tuple[object, ...]]:
    return [tuple(getattr(trial, field) for field in FIELDS) for trial in trials]


def test_studies_have_ids_names_and_directions(storage):
    found = storage.get_all_studies()
    assert [study.study_name for study in found] == ["one", "two"]
    for study in found:
        study_id = storage.get_study_id_from_name(study.study_name)
        assert study_id == study._study_id
        assert storage.get_study_name_from_id(study_id) == study.study_name
        assert storage.get_study_directions(study_id) == [StudyDirection.MINIMIZE]
        assert storage.get_study_user_attrs(study_id) == study.user_attrs
        assert storage.get_study_system_attrs(study_id) == {"study:metric_names": ["mse"]}
    assert found[0].user_attrs["pruner"] == "halving"
    assert found[0].user_attrs["rungs"] == [5, 15]
    assert optuna.get_all_study_names(storage) == ["one", "two"]


@pytest.mark.parametrize("states", STATES)
def test_trials_are_those_of_an_optuna_study(storage, memory, states):
    study_id = storage.get_study_id_from_name("one")
    found = storage.get_all_trials(study_id, states=states)
    own, own_id = memory
    assert as_values(found) == as_values(own.get_all_trials(own_id, states=states))
    assert storage.get_n_trials(study_id, states) == own.get_n_trials(own_id, states)


def test_single_trials_are_those_of_an_optuna_study(storage, memory):
    study_id = storage.get_study_id_from_name("one")
    own, own_id = memory
    for number in range(8):
        trial_id = storage.get_trial_id_from_study_id_trial_number(study_id, number)
        own_trial = own.get_trial_id_from_study_id_trial_number(own_id, number)
        assert storage.get_trial_number_from_id(trial_id) == number
        assert as_values([storage.get_trial(trial_id)]) == as_values([own.get_trial(own_trial)])
        assert storage.get_trial_params(trial_id) == own.get_trial_params(own_trial)
        assert storage.get_trial_user_attrs(trial_id) == own.get_trial_user_attrs(own_trial)
        assert storage.get_trial_system_attrs(trial_id) == {}
        for name in SPEC.names:
            found = storage.get_trial_param(trial_id, name)
            assert found == own.get_trial_param(own_trial, name)


def test_the_best_trial_is_that_of_an_optuna_study(storage, memory):
    own, own_id = memory
    study_id = storage.get_study_id_from_name("one")
    found = storage.get_best_trial(study_id)
    assert as_values([found]) == as_values([own.get_best_trial(own_id)])
    assert (found.number, found.value) == (1, 0.125)
    with pytest.raises(ValueError, match="No trials are completed"):
        storage.get_best_trial(storage.get_study_id_from_name("two"))


def test_an_optuna_study_can_be_loaded_and_plotted(storage):
    study = optuna.load_study(study_name="one", storage=storage)
    assert study.best_value == 0.125
    assert study.metric_names == ["mse"]
    assert list(study.trials_dataframe()["number"]) == list(range(8))
    assert optuna.importance.get_param_importances(study, params=["lr"]) is not None
    figure = optuna.visualization.plot_intermediate_values(study)
    assert [list(line.x) for line in figure.data] == [[0, 5]] * 4


def test_ids_of_trials_differ_between_studies(storage):
    ids = {
        trial._trial_id
        for study in storage.get_all_studies()
        for trial in storage.get_all_trials(study._study_id)
    }
    assert len(ids) == 16


def test_what_is_not_there_is_a_key_error(storage):
    study_id = storage.get_study_id_from_name("one")
    first = storage.get_trial_id_from_study_id_trial_number(study_id, 0)
    calls: list[Callable[[], object]] = [
        lambda: storage.get_study_id_from_name("three"),
        lambda: storage.get_study_name_from_id(99),
        lambda: storage.get_study_directions(99),
        lambda: storage.get_all_trials(99),
        lambda: storage.get_n_trials(99),
        lambda: storage.get_trial(first + 8),
        lambda: storage.get_trial(-1),
        lambda: storage.get_trial_id_from_study_id_trial_number(study_id, 8),
    ]
    for call in calls:
        with pytest.raises(KeyError):
            call()


def test_copies_may_be_changed_and_shared_lists_too(storage):
    study_id = storage.get_study_id_from_name("one")
    before = as_values(storage.get_all_trials(study_id))
    copied = storage.get_all_trials(study_id)
    copied[0].params["lr"] = 9.0
    copied[0].user_attrs.clear()
    storage.get_trial(copied[0]._trial_id).intermediate_values[0] = 7.0
    storage.get_all_trials(study_id, deepcopy=False).clear()
    storage.get_study_user_attrs(study_id).clear()
    assert as_values(storage.get_all_trials(study_id)) == before
    assert storage.get_study_user_attrs(study_id) != {}


WRITES = {
    "create_new_study": ([StudyDirection.MINIMIZE], "three"),
    "delete_study": (1,),
    "set_study_user_attr": (1, "key", "value"),
    "set_study_system_attr": (1, "key", "value"),
    "create_new_trial": (1, create_trial(value=1.0)),
    "set_trial_param": (10_000_000, "lr", 0.5, FloatDistribution(0.0, 1.0)),
    "set_trial_state_values": (10_000_000, TrialState.COMPLETE, [1.0]),
    "set_trial_intermediate_value": (10_000_000, 1, 0.5),
    "set_trial_user_attr": (10_000_000, "key", "value"),
    "set_trial_system_attr": (10_000_000, "key", "value"),
}


def test_every_method_that_writes_is_known_here():
    """Those that Optuna leaves to a storage are for reading, or are in the list above."""
    abstract = {name for name, _ in inspect.getmembers(BaseStorage) if name[0] != "_"}
    reading = {name for name in abstract if name.startswith(("get_", "check_", "remove_session"))}
    assert abstract - reading == {*WRITES}


@pytest.mark.parametrize("method", WRITES)
def test_every_method_that_writes_is_refused_and_nothing_changes(storage, results, method):
    storage.get_all_trials(storage.get_study_id_from_name("one"))
    before = contents(results)
    with pytest.raises(UsageError) as refused:
        getattr(storage, method)(*WRITES[method])
    assert str(refused.value) == READ_ONLY
    assert "export the study to Optuna" in READ_ONLY
    assert contents(results) == before


def test_optuna_cannot_continue_a_study(storage, results):
    before = contents(results)
    study = optuna.load_study(study_name="one", storage=storage)
    for call in (study.ask, lambda: study.enqueue_trial({}), lambda: study.optimize(len, 1)):
        with pytest.raises(UsageError, match="shown, and not changed"):
            call()
    assert contents(results) == before


def test_what_a_search_records_is_seen_by_the_next_call(storage, results):
    study_id = storage.get_study_id_from_name("one")
    before = storage.get_all_trials(study_id, deepcopy=False)
    with Ledger.open(StudyPaths(results / "one")) as ledger:
        ledger.finish_trials([finished(5, mse=0.0625)])
        after = storage.get_all_trials(study_id, deepcopy=False)
        assert storage.get_best_trial(study_id).number == 5
        ledger.add_trials([ledger.trials().trial(7)._replace(number=8)])
        assert storage.get_n_trials(study_id) == 9
    assert [trial.state for trial in before[5:]] == [TrialState.WAITING] * 3
    same = [one is other for one, other in zip(before, after)]
    assert same == [True] * 5 + [False] + [True] * 2


def test_threads_see_every_trial_once_while_a_search_writes(storage, results):
    study_id = storage.get_study_id_from_name("two")
    written = threading.Event()

    def watch() -> list[int]:
        counts = []
        while not counts or not written.is_set():
            trials = storage.get_all_trials(study_id, deepcopy=False)
            assert [trial.number for trial in trials] == list(range(len(trials)))
            counts.append(sum(trial.state == TrialState.COMPLETE for trial in trials))
        return counts

    with ThreadPoolExecutor(4) as pool, Ledger.open(StudyPaths(results / "two")) as ledger:
        watching = [pool.submit(watch) for _ in range(4)]
        try:
            for number in range(8):
                ledger.finish_trials([finished(number)])
        finally:
            written.set()
        for found in watching:
            assert found.result() == sorted(found.result())
    assert storage.get_n_trials(study_id, TrialState.COMPLETE) == 8


def test_a_ledger_that_has_not_changed_is_not_opened_again(storage, monkeypatch):
    study_id = storage.get_study_id_from_name("one")
    before = as_values(storage.get_all_trials(study_id))
    monkeypatch.setattr(Ledger, "read", None)
    assert as_values(storage.get_all_trials(study_id)) == before
    assert len(storage.get_all_studies()) == 2


def test_a_new_study_appears(storage, results):
    assert len(storage.get_all_studies()) == 2
    mixed_study(results / "a-third")
    assert [study.study_name for study in storage.get_all_studies()] == ["one", "two", "a-third"]


def damage(paths: StudyPaths) -> None:
    with closing(sqlite3.connect(paths.ledger)) as connection, connection:
        connection.execute("UPDATE trial SET worker = 'another' WHERE number = 1")


def test_a_damaged_study_is_left_out_and_said_once(storage, results, said):
    study_id = storage.get_study_id_from_name("one")
    damage(StudyPaths(results / "one"))
    for _ in range(3):
        with pytest.raises(KeyError):
            storage.get_all_trials(study_id)
        assert [study.study_name for study in storage.get_all_studies()] == ["two"]
    (message,) = said
    assert message.startswith("study one is not shown: ")
    assert "the row of trial 1 is not as it was written. Restore it from a copy." in message


@pytest.mark.parametrize("content", [b"", b"no ledger", b"SQLite format 3\0" + bytes(100)])
def test_a_file_that_is_no_ledger_is_left_out_and_said_once(storage, results, said, content):
    (results / "three").mkdir()
    (results / "three" / "study.db").write_bytes(content)
    for _ in range(3):
        assert [study.study_name for study in storage.get_all_studies()] == ["one", "two"]
    (message,) = said
    assert message.startswith("study three ")


def test_a_restored_study_is_shown_again(storage, results, tmp_path):
    study_id = storage.get_study_id_from_name("one")
    shutil.copy(results / "one" / "study.db", tmp_path / "kept")
    damage(StudyPaths(results / "one"))
    assert storage.get_n_trials(storage.get_study_id_from_name("two")) == 8
    with pytest.raises(KeyError):
        storage.get_all_trials(study_id)
    shutil.copy(tmp_path / "kept", results / "one" / "study.db")
    assert storage.get_best_trial(study_id).number == 1


def test_a_study_that_disappears_is_left_out_and_said_once(storage, results, said):
    study_id = storage.get_study_id_from_name("one")
    (results / "one").rename(results.parent / "elsewhere")
    for _ in range(2):
        with pytest.raises(KeyError):
            storage.get_all_trials(study_id)
        assert [study.study_name for study in storage.get_all_studies()] == ["two"]
    assert len(said) == 1
    assert said[0].startswith("study one is not shown: ")


def test_another_study_under_the_same_name_gets_another_id(storage, results):
    study_id = storage.get_study_id_from_name("one")
    shutil.rmtree(results / "one")
    new_study(results / "one", rung_settings(study_seed=1))
    (found, _) = sorted(storage.get_all_studies(), key=lambda study: study.study_name)
    assert found._study_id != study_id
    assert {trial.state.name for trial in storage.get_all_trials(found._study_id)} == {"WAITING"}
    with pytest.raises(KeyError):
        storage.get_study_name_from_id(study_id)


def test_an_earlier_state_of_a_study_is_shown_as_it_is(storage, results, tmp_path):
    shutil.copy(results / "one" / "study.db", tmp_path / "kept")
    study_id = storage.get_study_id_from_name("one")
    with Ledger.open(StudyPaths(results / "one")) as ledger:
        ledger.add_trials([ledger.trials().trial(7)._replace(number=8)])
    assert storage.get_n_trials(study_id) == 9
    shutil.copy(tmp_path / "kept", results / "one" / "study.db")
    assert storage.get_n_trials(study_id) == 8


def test_trials_of_an_earlier_version_of_a_function_fail_when_they_become_outdated(
    storage, results
):
    study_id = storage.get_study_id_from_name("one")
    assert storage.get_best_trial(study_id).number == 1
    with Ledger.open(StudyPaths(results / "one")) as ledger:
        ledger.record(SETTINGS, replace(ledger.provenance(), outdated=((0, 1),)))
    assert storage.get_best_trial(study_id).number == 4


def test_a_large_study_has_curves_of_some_of_its_trials(tmp_path, said):
    paths = new_study(tmp_path / "large", rung_settings(trials=601))
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([finished(number) for number in range(8)])
    storage = LedgerStorage(lambda: [paths], said.append)
    (study,) = storage.get_all_studies()
    trials = storage.get_all_trials(study._study_id)
    assert [bool(trial.intermediate_values) for trial in trials] == [True, *[False] * 3] * 2
    assert study.user_attrs["intermediate values"] == "of every 4th trial"
