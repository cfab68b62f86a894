"""Ledgers from a stranger who knows how they are sealed: every value is checked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.driver.forgery import forge
from tests.ledger.forged import SPECS, VALUES, WEIGHTS, alter, alter_spec, assigned, measured
from tests.make import make_curve, make_outcome, make_provenance, make_settings, make_trial
from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.trial import FinishedTrial


@pytest.fixture
def folder(tmp_path) -> Path:
    """A study of eight trials, of which the sixth failed."""
    paths = StudyPaths(tmp_path / "one")
    asked = [make_trial(number, lr=0.5, epochs=9, seed=number) for number in range(8)]
    curve = make_curve((0, 5), (1.0, 2.0), (1.0, 2.0))
    states = ["FAIL" if trial.number == 5 else "COMPLETE" for trial in asked]
    finished = [FinishedTrial(t, make_outcome(s, curve=curve)) for t, s in zip(asked, states)]
    with Ledger.create(paths, make_settings(trials=8), make_provenance()) as ledger:
        ledger.add_trials(asked)
        ledger.finish_trials(finished)
    return paths.folder


def check_refused(folder: Path) -> None:
    """A driver cannot read it either, and neither changes it."""
    before = (folder / "study.db").read_bytes()
    for way in (Ledger.read, Ledger.open):
        with (
            way(StudyPaths(folder)) as ledger,
            pytest.raises(UsageError, match=r"study.db is damaged: .*Restore it from a copy"),
        ):
            ledger.trials()
    assert (folder / "study.db").read_bytes() == before


@pytest.mark.parametrize(("column", "value"), VALUES, ids=lambda value: repr(value)[:60])
def test_a_value_that_no_trial_has(folder, column, value):
    alter(folder, column, value)
    check_refused(folder)


@pytest.mark.parametrize(("column", "value"), [("parameters", assigned()), ("metrics", measured())])
def test_a_value_that_a_trial_may_have(folder, column, value):
    """What the other values are changes of is not refused itself."""
    alter(folder, column, value)
    with Ledger.read(StudyPaths(folder)) as ledger:
        assert len(ledger.trials()) == 8


def test_two_trials_in_one_text_and_one_in_two(folder):
    """Rows are parsed together: all the texts as one list are valid JSON of the right length."""
    texts = [f"{assigned()},{assigned()}", '{"lr":0.5,"epochs":9', '"seed":7,"loss_fn":"mse"}']
    update = "UPDATE trial SET parameters = ? WHERE number = ?"
    forge(folder, *((update, [text, number]) for number, text in enumerate(texts)))
    check_refused(folder)


@pytest.mark.parametrize(("part", "value"), SPECS, ids=lambda value: repr(value)[:30])
def test_a_spec_that_is_not_valid(folder, part, value):
    alter_spec(folder, part, value)
    check_refused(folder)


@pytest.mark.parametrize(("table", "column", "value"), WEIGHTS, ids=lambda value: repr(value)[:30])
def test_weights_that_no_model_has(folder, table, column, value):
    forge(folder, (f"UPDATE {table} SET {column} = ?", [value]))
    with Ledger.read(StudyPaths(folder)) as ledger:
        number = ledger.weighted()[0]
        with pytest.raises(UsageError, match=r"study.db is damaged: .*Restore it from a copy"):
            ledger.weights(number)


def test_weights_of_a_trial_that_there_is_not(folder):
    forge(folder, "INSERT INTO weight SELECT 77, layout, content, 0 FROM weight LIMIT 1")
    with (
        Ledger.read(StudyPaths(folder)) as ledger,
        pytest.raises(UsageError, match="weights of missing trials"),
    ):
        ledger.weighted()


def test_weights_of_a_trial_that_has_none(folder):
    with closing(sqlite3.connect(folder / "study.db")) as connection:
        failed = "SELECT min(number) FROM trial WHERE state = 'FAIL'"
        (number,) = connection.execute(failed).fetchone()
    forge(folder, ("INSERT INTO weight SELECT ?, layout, content, 0 FROM weight LIMIT 1", [number]))
    with (
        Ledger.read(StudyPaths(folder)) as ledger,
        pytest.raises(UsageError, match=f"trial {number} has weights but is not complete"),
    ):
        ledger.weights(number)
