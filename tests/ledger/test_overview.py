"""What the ledger says of a study without reading all of it."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.driver.forgery import forge
from tests.ledger.forged import VALUES, alter
from tests.make import make_outcome, make_provenance, make_scores, make_settings, make_trial
from tests.report.specs import FOREST
from xortune.errors import UsageError
from xortune.ledger import Ledger, Overview
from xortune.ledger.study_lock import is_at_work
from xortune.paths import StudyPaths
from xortune.settings import StudySettings
from xortune.trial import FinishedTrial, Outcome, Trial

LOSSES = (0.3, 0.1, None, 0.2)


@pytest.fixture
def paths(tmp_path) -> StudyPaths:
    """Five trials: three complete, one failed, one waiting."""
    paths = StudyPaths(tmp_path / "one")
    with Ledger.create(paths, make_settings(trials=5), make_provenance()) as ledger:
        ledger.add_trials(map(make_trial, range(5)))
        for number, loss in enumerate(LOSSES):
            outcome = make_outcome("FAIL") if loss is None else make_outcome(
                scores=make_scores(mse=loss)
            )  # fmt: skip
            ledger.finish_trials([FinishedTrial(make_trial(number), outcome)])
    return paths


def test_counts_and_the_best_are_those_of_the_table(paths):
    with Ledger.read(paths) as ledger:
        found = ledger.overview()
        assert found == Overview({"COMPLETE": 3, "FAIL": 1, "WAITING": 1}, 0.1)
        assert (found.trials, found.finished) == (5, ledger.trials().finished)


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=8))
@settings(max_examples=20, deadline=None)
def test_the_best_of_a_maximised_objective_is_the_highest(tmp_path_factory, values):
    paths = StudyPaths(tmp_path_factory.mktemp("studies") / "one")
    space = {name: {"value": value} for name, value in FOREST.defaults.items()}
    recorded = StudySettings(spec=FOREST, space=space, trials=10)
    trials = [Trial(n, 0, FOREST.defaults) for n in range(len(values))]
    failed = Outcome("FAIL", error="e")
    scores = [None if value is None else FOREST.scores((1.0, value, 1.0)) for value in values]
    outcomes = [failed if found is None else Outcome("COMPLETE", found) for found in scores]
    with Ledger.create(paths, recorded, make_provenance()) as ledger:
        ledger.add_trials(trials)
        ledger.finish_trials([*map(FinishedTrial, trials, outcomes)])
        known = [value for value in values if value is not None]
        assert ledger.overview().best == max(known, default=None)


def test_trials_of_an_earlier_function_are_not_the_best(paths):
    with Ledger.open(paths) as ledger:
        recorded = make_provenance(outdated=((1, 1), (3, 3)))
        ledger.record(ledger.settings(), recorded)
        assert ledger.overview().best == 0.3


@pytest.mark.parametrize("statement", [
    "DELETE FROM trial WHERE number = 4",
    "UPDATE trial SET state = 'LOST' WHERE number = 4",
    "UPDATE trial SET metrics = replace(metrics, '0.1', '0.05') WHERE number = 1",
    "UPDATE trial SET metrics = 'nonsense' WHERE number = 3",
    "UPDATE trial SET number = 7 WHERE number = 1",
    "DELETE FROM seal",
])  # fmt: skip
def test_missing_rows_unknown_states_and_a_changed_best_are_damage(paths, statement):
    with closing(sqlite3.connect(paths.ledger)) as connection:
        connection.execute(statement)
        connection.commit()
    with Ledger.read(paths) as ledger, pytest.raises(UsageError, match=r"study\.db is damaged: "):
        ledger.overview()


def test_no_forged_value_of_the_best_trial_does_more_than_be_refused(paths, tmp_path):
    forge(paths.folder, "DELETE FROM trial WHERE number > 0")
    sound, refused = paths.ledger.read_bytes(), 0
    for column, value in VALUES:
        paths.ledger.write_bytes(sound)
        alter(paths.folder, column, value)
        with Ledger.read(paths) as ledger:
            try:
                assert isinstance(ledger.overview().best, float | None)
            except UsageError:
                refused += 1
    assert refused > len(VALUES) / 2


def test_a_study_is_at_work_while_a_driver_has_it_open_and_reading_holds_nothing(paths):
    assert not is_at_work(paths)
    with Ledger.open(paths):
        assert is_at_work(paths)
        assert is_at_work(paths), "asking has not changed the answer"
    assert not is_at_work(paths)
    paths.driver.write_text('{"host": "here", "pid": 1}')  # as a driver that was killed leaves it
    assert not is_at_work(paths)
    with Ledger.read(paths):
        assert not is_at_work(paths)
    with Ledger.open(paths):
        pass
