"""Replicates in the ledger: those of a search, and those of a confirmation."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.driver.forgery import forge
from tests.ledger.rungs import (
    complete,
    edit,
    new_study,
    rows_of,
    rung_settings,
    trained,
    trial_of,
)
from tests.make import make_outcome, make_scores
from xortune.errors import UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.problems.xor.spec import SPEC
from xortune.trial import FinishedTrial, Replicate

SETTINGS = rung_settings(3, pruner="none")
CONFIRMED = [Replicate(place, "COMPLETE", make_scores(mse=place / 8), 0.5) for place in (3, 4)]


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> StudyPaths:
    """Three trainings of each trial: two complete trials, a failed one, and five that wait."""
    paths = new_study(tmp_path_factory.mktemp("study") / "one", SETTINGS)
    failed = make_outcome("FAIL", replicates=trained(2))
    with Ledger.open(paths) as ledger:
        pack = [complete(SETTINGS.spec, 0, 3), FinishedTrial(trial_of(SETTINGS.spec, 1), failed)]
        ledger.finish_trials([*pack, complete(SETTINGS.spec, 2, 3)])
        ledger.add_replicates([(0, one) for one in CONFIRMED])
    return paths


def check_refused(paths: StudyPaths, message: str, number: int = 0) -> None:
    with Ledger.read(paths) as ledger:
        with pytest.raises(UsageError, match=f"study.db is damaged: .*{message}.*from a copy"):
            ledger.replicates(number)
        with pytest.raises(UsageError, match=r"study.db is damaged: .*Restore it from a copy"):
            ledger.all_replicates(0)


def test_replicates_come_back_by_place(paths):
    with Ledger.read(paths) as ledger:
        assert ledger.replicates(0) == [*trained(3), *CONFIRMED]
        assert ledger.replicates(1) == [*trained(2)]
        assert ledger.replicates(3) == ledger.replicates(99) == []
    assert rows_of(paths, "replicate", "replicates") == 10


def test_replicates_of_all_trials_come_back_from_a_place_on(paths):
    with Ledger.read(paths) as ledger:
        assert ledger.all_replicates(3) == {0: CONFIRMED}
        assert {n: len(found) for n, found in ledger.all_replicates(0).items()} == {
            0: 5,
            1: 2,
            2: 3,
        }
        assert ledger.all_replicates(9) == {}


def test_a_trial_that_is_finished_again_has_the_last_replicates(paths):
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([FinishedTrial(trial_of(SETTINGS.spec, 0), make_outcome("FAIL"))])
        assert ledger.replicates(0) == []
    assert rows_of(paths, "replicate", "replicates") == 5


def test_a_replicate_is_not_added_twice(paths):
    with Ledger.open(paths) as ledger:
        with pytest.raises(XortuneError, match="UNIQUE"):
            ledger.add_replicates([(2, CONFIRMED[0]), (0, CONFIRMED[1])])
        assert ledger.replicates(2) == [*trained(3)]
    assert rows_of(paths, "replicate", "replicates") == 10


@pytest.mark.parametrize(
    "broken",
    [
        Replicate(3, "RUNNING", make_scores()),
        Replicate(3, "COMPLETE"),
        Replicate(3, "FAIL", make_scores()),
        Replicate(3, "COMPLETE", make_scores(mse=math.nan)),
        Replicate(3, "COMPLETE", make_scores(mse=math.inf)),
    ],
    ids=["state", "no metrics", "metrics of a failure", "no loss", "infinite loss"],
)
def test_a_confirmation_is_recorded_as_a_whole_or_not_at_all(paths, broken):
    with Ledger.open(paths) as ledger, pytest.raises(ValueError):  # noqa: PT011
        ledger.add_replicates([(2, CONFIRMED[1]), (2, broken)])
    assert rows_of(paths, "replicate", "replicates") == 10


def test_a_study_without_replicates_may_have_a_confirmation(tmp_path):
    alone = rung_settings(pruner="none")
    paths = new_study(tmp_path / "one", alone)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([complete(alone.spec, 0)])
        ledger.add_replicates([(0, one) for one in CONFIRMED])
        assert ledger.replicates(0) == ledger.all_replicates(1)[0] == CONFIRMED
        ledger.add_replicates([(0, Replicate(0, "FAIL"))])
        with pytest.raises(UsageError, match="trial 0 has replicates, and its study none"):
            ledger.replicates(0)


_FINITE = st.floats(allow_nan=False, allow_infinity=False)
_TEXTS = st.none() | st.text()
_SCORES = st.tuples(st.just(math.nan) | _FINITE, _FINITE, _FINITE, _FINITE).map(SPEC.scores)


@st.composite
def replicates(draw) -> list[Replicate]:
    found = []
    for place in sorted(draw(st.sets(st.integers(1, 2**31), max_size=4))):
        scores = draw(st.none() | _SCORES)
        state = "FAIL" if scores is None else "COMPLETE"
        seconds = draw(st.none() | _FINITE)
        found.append(Replicate(place, state, scores, seconds, draw(_TEXTS)))
    return found


def as_text(found: list[Replicate]) -> str:
    """Equal for equal replicates, also where a metric is NaN, and for 0.0 and -0.0."""
    return repr(found).replace("-0.0,", "0.0,").replace("-0.0)", "0.0)")


@settings(max_examples=20, deadline=None)
@given(st.lists(replicates(), max_size=3))
def test_every_replicate_comes_back(tmp_path_factory, drawn):
    alone = rung_settings(pruner="none")
    paths = new_study(tmp_path_factory.mktemp("ledger") / "one", alone)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([complete(alone.spec, number) for number in range(len(drawn))])
        ledger.add_replicates([(n, one) for n, found in enumerate(drawn) for one in found])
    with Ledger.read(paths) as ledger:
        every = ledger.all_replicates(1)
        for number, found in enumerate(drawn):
            assert as_text(ledger.replicates(number)) == as_text(found)
            assert as_text(every.get(number, [])) == as_text(found)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM replicate WHERE trial = 1 AND replicate = 1",
        "DELETE FROM replicate WHERE trial = 2",
        "DELETE FROM replicate",
        "INSERT INTO replicate VALUES (5, 0, 'FAIL', NULL, NULL, NULL, 0)",
        "UPDATE replicate SET trial = 3 WHERE trial = 2",
        "UPDATE replicate SET replicate = 7 WHERE trial = 1 AND replicate = 1",
        "UPDATE replicate SET state = 'FAIL' WHERE trial = 2 AND replicate = 0",
        "UPDATE replicate SET metrics = replace(metrics, '0.25', '0.26') WHERE trial = 2",
        "UPDATE replicate SET duration_s = 0.75 WHERE trial = 2",
        "UPDATE replicate SET error = 'other' WHERE trial = 1",
        "UPDATE replicate SET digest = digest + 1 WHERE trial = 0 AND replicate = 4",
        "UPDATE seal SET replicates = replicates + 1",
    ],
)
@pytest.mark.parametrize("number", [0, 1])
def test_a_damaged_replicate_is_noticed_by_whoever_reads_any(paths, statement, number):
    edit(paths, statement)
    check_refused(paths, "", number)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("trial", 77, "replicates of trial 77, which is missing"),
        ("trial", -1, "replicates of trial -1, which is missing"),
        ("replicate", -1, "replicates of trial 0 do not ascend"),
        ("replicate", 0.5, "holds values of another type"),
        ("state", "X", "metrics that do not match its state"),
        ("state", "FAIL", "metrics that do not match its state"),
        ("state", "WAITING", "metrics that do not match its state"),
        ("state", b"FAIL", "holds values of another type"),
        ("metrics", None, "metrics that do not match its state"),
        ("metrics", "{}", "metrics of replicate 4 of trial 0 are not a JSON object"),
        ("metrics", "[" * 90_000, "metrics of replicate 4 of trial 0 are not a JSON object"),
        ("metrics", '{"mse":0.5}', "metrics of replicate 4 of trial 0 are not a JSON object"),
        ("metrics", b"{}", "holds values of another type"),
        ("metrics", " " * 1_000_000, "holds a text of 1000000 characters"),
        ("duration_s", float("inf"), "duration of replicate 4 of trial 0 is not finite"),
        ("duration_s", "long", "holds values of another type"),
        ("error", "e" * 1_000_000, "holds a text of 1000000 characters"),
        ("error", b"\xff", "holds values of another type"),
    ],
)
def test_a_value_that_no_replicate_has(paths, column, value, message):
    update = f"UPDATE replicate SET {column} = ? WHERE trial = 0 AND replicate = 4"
    forge(paths.folder, (update, [value]))
    check_refused(paths, message)


@pytest.mark.parametrize("loss", ["null", "1", "true", '"low"', "1e999", "NaN", "[0.5]"])
def test_metrics_that_no_replicate_has(paths, loss):
    text = f'{{"train_loss":0.5,"mse":{loss},"bce":0.5,"accuracy":0.5}}'
    forge(paths.folder, ("UPDATE replicate SET metrics = ? WHERE metrics IS NOT NULL", [text]))
    check_refused(paths, "metric")


@pytest.mark.parametrize(
    ("change", "number", "message"),
    [
        ("replicate = 8 WHERE trial = 2 AND replicate = 1", 2, "lacks some of its 3 replicates"),
        ("trial = 5 WHERE trial = 1", 5, "has replicates but is not finished"),
    ],
    ids=["a complete trial has all of them", "a waiting trial has none"],
)
def test_replicates_that_a_stranger_moves_are_noticed(paths, change, number, message):
    """With right digests and counts."""
    forge(paths.folder, f"UPDATE replicate SET {change}")
    with Ledger.read(paths) as ledger, pytest.raises(UsageError, match=f"trial {number} {message}"):
        ledger.replicates(number)


def test_a_copy_has_the_replicates(paths, tmp_path):
    (tmp_path / "copy").mkdir()
    with Ledger.read(paths) as ledger:
        ledger.copy_to(tmp_path / "copy" / "study.db")
        with Ledger.read(StudyPaths(tmp_path / "copy")) as copy:
            assert copy.all_replicates(0) == ledger.all_replicates(0)


def test_the_index_of_another_program_is_not_asked(paths: StudyPaths, tmp_path: Path):
    """It may hold anything; queries name the table's own."""
    edit(paths, "CREATE INDEX mine ON replicate (trial, replicate, state)")
    with Ledger.open(paths) as ledger:
        ledger.add_replicates([(2, CONFIRMED[0])])
        assert ledger.replicates(2) == [*trained(3), CONFIRMED[0]]
