"""When outcomes were recorded, and what has changed since a ledger was last read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest

from tests.ledger.rungs import complete, new_study, pruned, rung_settings
from tests.make import make_curve, make_outcome
from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.ledger.rows import sealed
from xortune.paths import StudyPaths
from xortune.trial import FinishedTrial

SETTINGS = rung_settings()
SPEC = SETTINGS.spec
FINISHED, LATER = 1_700_000_000.5, 1_700_000_123.0


@pytest.fixture
def paths(tmp_path, monkeypatch) -> StudyPaths:
    """Eight trials: 0 is complete, 1 pruned, both at FINISHED; the others wait."""
    paths = new_study(tmp_path / "one", SETTINGS)
    monkeypatch.setattr("time.time", lambda: FINISHED)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([complete(SPEC, 0), pruned(SPEC, 1)])
    monkeypatch.setattr("time.time", lambda: LATER)
    return paths


def times(paths: StudyPaths) -> list[float | None]:
    with Ledger.read(paths) as ledger:
        return [change.trial.recorded for change in ledger.changes()]


def execute(paths: StudyPaths, *statements: str) -> None:
    with closing(sqlite3.connect(paths.ledger, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_finished_trials_have_the_time_of_their_pack_and_others_none(paths):
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([complete(SPEC, 2)])
    assert times(paths) == [FINISHED, FINISHED, LATER, *[None] * 5]


def test_a_trial_that_is_finished_anew_gets_the_later_time(paths):
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([complete(SPEC, 1)])
    assert times(paths)[:2] == [FINISHED, LATER]


def test_a_ledger_of_before_is_read_without_times_and_gets_them_with_its_next_write(paths):
    execute(paths, "DROP TABLE finish")
    before = paths.ledger.read_bytes()
    assert times(paths) == [None] * 8
    assert paths.ledger.read_bytes() == before
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([complete(SPEC, 2)])
        ledger.finish_trials([complete(SPEC, 3)])
    assert times(paths) == [None, None, LATER, LATER, *[None] * 4]


def test_a_ledger_of_version_2_has_no_times_until_it_is_written(tmp_path, paths):
    folder = tmp_path / "two"
    copytree(Path(__file__).parent / "version2" / "interrupted", folder)
    two = StudyPaths(folder)
    assert {*times(two)} == {None}
    with Ledger.open(two) as ledger:
        table = ledger.trials()
        number = next(n for n in range(len(table)) if not table.is_finished(n))
        ledger.finish_trials([FinishedTrial(table.trial(number), make_outcome())])
    found = times(two)
    assert found[number] == LATER
    assert {*found[:number], *found[number + 1 :]} == {None}


@pytest.mark.parametrize(
    "change", ["recorded = recorded + 1", "recorded = 'noon'", "digest = digest + 1"]
)
def test_a_damaged_time_is_named(paths, change):
    execute(paths, f"UPDATE finish SET {change} WHERE number = 1")
    with pytest.raises(UsageError, match=r"study\.db is damaged: the time at which trial 1 was"):
        times(paths)
    with Ledger.read(paths) as ledger:
        assert len(ledger.trials()) == 8  # No result depends on it.


@pytest.mark.parametrize("time", [-1.0, 1e30, float("inf")])
def test_an_impossible_time_is_named_although_its_digest_is_right(paths, time):
    with closing(sqlite3.connect(paths.ledger)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO finish VALUES (?, ?, ?)", sealed((1, time)))
    with pytest.raises(UsageError, match="time at which trial 1 was recorded is impossible"):
        times(paths)


@pytest.mark.parametrize("time", [-1.0, 1e30])
def test_the_time_of_a_clock_that_is_far_off_is_not_recorded(paths, monkeypatch, time):
    monkeypatch.setattr("time.time", lambda: time)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([complete(SPEC, 2)])
    assert times(paths) == [FINISHED, FINISHED, *[None] * 6]


def test_everything_is_new_at_first(paths):
    with Ledger.read(paths) as ledger:
        found = [change.trial for change in ledger.changes()]
        # As texts, in which NaN is like NaN.
        assert repr([(one.trial, one.outcome) for one in found]) == repr(
            [tuple(row) for row in ledger.trials()]
        )
        assert {one.trial.number: one.curve for one in found[:2]} == ledger.curves()
    assert found[1].curve == make_curve((0, 5), (1.0, 0.5), (1.0, 0.75))
    assert {one.curve.epochs for one in found[2:]} == {()}


def test_only_what_has_changed_is_read_again(paths):
    with Ledger.read(paths) as ledger:
        known = [change.digest for change in ledger.changes()]
        assert ledger.changes(known) == []
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([pruned(SPEC, 5)])
        ledger.add_trials([ledger.trials().trial(7)._replace(number=8)])
    with Ledger.read(paths) as ledger:
        found = ledger.changes(known)
        assert ledger.count_trials() == 9
    assert [(one.trial.trial.number, one.trial.recorded) for one in found] == [
        (5, LATER),
        (8, None),
    ]
    assert found[0].trial.outcome.state == "PRUNED"
    assert found[0].trial.curve.epochs == (0, 5)


def test_a_changed_trial_that_is_damaged_is_named_and_an_unchanged_one_is_not_read(paths):
    with Ledger.read(paths) as ledger:
        known = [change.digest for change in ledger.changes()]
    execute(paths, "UPDATE trial SET worker = 'another' WHERE number = 0")
    with Ledger.read(paths) as ledger:
        assert ledger.changes(known) == []
        with pytest.raises(UsageError, match="the row of trial 0 is not as it was written"):
            ledger.changes()
