"""Ledgers of version 2, as earlier releases wrote them: read for ever, upgraded by a write."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.make import LAYOUT, make_outcome, make_trial
from xortune.errors import UsageError, XortuneError
from xortune.ledger import Ledger, version2
from xortune.ledger.rows import digest
from xortune.paths import StudyPaths
from xortune.problems.xor.spec import SPEC
from xortune.run_time import RunTime
from xortune.trial import Curve, FinishedTrial, TrialRow

# Each with the table that its release wrote, and what else that read from it.
STUDIES = Path(__file__).parent / "version2"
NAMES = ["failed", "finished", "interrupted", "unversioned"]
TABLES = {
    "seal", "setting", "trial", "curve", "layout", "weight", "replicate", "paused", "run", "finish",
}  # fmt: skip


@pytest.fixture(params=NAMES)
def paths(request, tmp_path) -> StudyPaths:
    return StudyPaths(Path(shutil.copytree(STUDIES / request.param, tmp_path / request.param)))


@pytest.fixture
def one(tmp_path) -> StudyPaths:
    return StudyPaths(Path(shutil.copytree(STUDIES / "interrupted", tmp_path / "one")))


def version(paths: StudyPaths) -> int:
    with closing(sqlite3.connect(paths.ledger)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def cells(row: TrialRow, loss: str) -> dict[str, str]:
    """A line of trials.csv but for its rank, as the release that wrote the study spelt it."""
    trial, outcome = row.trial, row.outcome
    scores = {} if outcome is None or outcome.scores is None else dict(outcome.scores)
    accurate = scores.get("accuracy")
    values: dict[str, Any] = {
        "number": trial.number,
        "state": "WAITING" if outcome is None else outcome.state,
        **trial.params,
        "final_loss": scores.get(loss),
        **dict.fromkeys(SPEC.metric_names),
        **scores,
        "solved": None if accurate is None else accurate == 1.0,
        "duration_s": None if outcome is None else outcome.duration_s,
        "generation": trial.generation,
        "worker": None if outcome is None else outcome.worker,
        "error": None if outcome is None else outcome.error,
    }
    return {name: "" if value is None else str(value) for name, value in values.items()}


def check_content(ledger: Ledger, known: dict[str, Any], table: Path) -> None:
    """A ledger holds what the release that wrote its study read from it."""
    old = known["settings"]
    recorded = {**ledger.settings().to_dict(), **ledger.provenance().to_dict()}
    assert ledger.settings().spec == SPEC.with_objective(old["metric"])
    assert {key: recorded[key] for key in old.keys() - {"metric"}} == {
        key: value for key, value in old.items() if key != "metric"
    }
    assert recorded["reference"] == {}
    with table.open(encoding="utf-8", newline="") as file:
        lines = sorted(csv.DictReader(file), key=lambda line: int(line["number"]))
    for line in lines:
        del line["rank"]
    rows = ledger.trials()
    assert [cells(row, old["metric"]) for row in rows] == lines
    for number, (kept, points) in enumerate(zip(known["weights"], known["curves"], strict=True)):
        weights, curve = ledger.weights(number), ledger.curve(number)
        assert (None if weights is None else list(weights.numbers())) == kept
        assert weights is None or weights.layout == LAYOUT
        series = curve.series
        assert repr([[*curve.epochs], [*series["training"]], [*series["validation"]]]) == repr(
            points
        )
    assert ledger.weighted() == [n for n, kept in enumerate(known["weights"]) if kept is not None]
    assert ledger.runs() == [RunTime(**run) for run in known["runs"]]


def check(paths: StudyPaths) -> None:
    known = json.loads((paths.folder / "known.json").read_text())
    with Ledger.read(paths) as ledger:
        check_content(ledger, known, paths.trials_csv)


def test_a_study_of_version_2_is_read_as_it_was_written(paths):
    before = paths.ledger.read_bytes()
    check(paths)
    assert paths.ledger.read_bytes() == before


def test_the_studies_are_what_they_are_for():
    """A failed trial, trials that wait, settings without a version of the sampler."""
    tables = {name: (STUDIES / name / "trials.csv").read_text() for name in NAMES}
    assert "FAIL" in tables["failed"]
    assert "WAITING" in tables["interrupted"]
    assert "WAITING" not in tables["finished"]
    with closing(sqlite3.connect(STUDIES / "unversioned" / "study.db")) as connection:
        keys = {key for (key,) in connection.execute("SELECT key FROM setting")}
    assert "metric" in keys
    assert "sampler_version" not in keys
    assert (
        json.loads((STUDIES / "failed" / "known.json").read_text())["settings"]["metric"] == "bce"
    )


def test_opening_for_writing_changes_nothing_before_the_first_write(paths):
    before = paths.ledger.read_bytes()
    with Ledger.open(paths) as ledger:
        ledger.trials()
    assert paths.ledger.read_bytes() == before


def test_the_first_write_makes_it_version_3_and_loses_nothing(paths):
    with Ledger.open(paths) as ledger:
        ledger.record(ledger.settings(), ledger.provenance())
        assert version(paths) == 3
        known = json.loads((paths.folder / "known.json").read_text())
        check_content(ledger, known, paths.trials_csv)
    check(paths)
    with closing(sqlite3.connect(paths.ledger)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert {name for (name,) in names} == TABLES
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_upgraded_study_is_searched_on(one):
    with Ledger.open(one) as ledger:
        waiting = next(row.trial for row in ledger.trials() if row.outcome is None)
        done = make_outcome(curve=Curve((0,), {"training": (1.0,), "validation": (2.0,)}))
        ledger.finish_trials([FinishedTrial(waiting, done)], forget=[0])
        ledger.add_trials([make_trial(12, generation=2)])
    with Ledger.open(one) as ledger:
        ledger.finish_trials([FinishedTrial(make_trial(12, generation=2), done)])
        assert len(ledger.trials()) == 13
        assert ledger.curve(waiting.number) == done.curve
        assert ledger.weights(12) == done.weights
        assert ledger.weights(0) is None
        with closing(sqlite3.connect(one.ledger)) as connection:
            assert connection.execute("SELECT count(*) FROM layout").fetchone() == (1,)


def test_a_write_that_fails_leaves_version_2(one):
    before = one.ledger.read_bytes()
    with Ledger.open(one) as ledger:
        with pytest.raises(XortuneError, match="UNIQUE"):
            ledger.add_trials([make_trial(3)])
        assert one.ledger.read_bytes() == before
        assert len(ledger.trials()) == 12
        ledger.add_trials([make_trial(12, generation=2)])
    assert version(one) == 3
    with Ledger.read(one) as ledger:
        assert len(ledger.trials()) == 13


def in_a_fork(act: Callable[[], None]) -> int:
    """The signal that ended a child which did something."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(1)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(
    "moment",
    [
        "DROP TABLE main.run",
        "CREATE TABLE weight",
        "DROP TABLE temp.run",
        "PRAGMA user_version = 3",
        "INSERT INTO trial",
        "COMMIT",
    ],
)
def test_a_kill_in_the_middle_leaves_version_2_whole(one, moment):
    """SQLite's cache is made so small that pages are in the file before the kill."""

    def upgrade() -> None:
        ledger = Ledger.open(one)
        connection = ledger._file._connection
        connection.execute("PRAGMA cache_size = 1")

        def kill(statement: str) -> None:
            if statement.startswith(moment):
                os.kill(os.getpid(), signal.SIGKILL)

        connection.set_trace_callback(kill)
        ledger.add_trials([make_trial(12, generation=2)])

    assert in_a_fork(upgrade) == signal.SIGKILL
    assert one.journal.stat().st_size > 0
    with Ledger.open(one) as ledger:
        assert version(one) == 2
        assert len(ledger.trials()) == 12
    check(one)


def forge(paths: StudyPaths, *statements: str) -> None:
    """Changes a ledger of version 2 as someone does who knows how it is sealed."""
    with closing(sqlite3.connect(paths.ledger, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
        for row in connection.execute("SELECT * FROM trial").fetchall():
            sealed = (digest(row[:-1]), row[0])
            connection.execute("UPDATE trial SET digest = ? WHERE number = ?", sealed)
        rows = connection.execute("SELECT * FROM setting ORDER BY key").fetchall()
        connection.execute("UPDATE seal SET settings = ?", (digest(rows),))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("lr = 0.0", "trial 0 has impossible parameters"),
        ("lr = 'x'", "row of trial 0 holds values of another type"),
        ("epochs = 1099511627776", "trial 0 has impossible parameters"),
        ("seed = -1", "trial 0 has impossible parameters"),
        ("generation = -1", "trial 0 has impossible parameters"),
        ("loss_fn = 'mae'", "trial 0 has impossible parameters"),
        ("state = 'X'", "trial 0 has an unknown state"),
        ("state = 'WAITING'", "trial 0 has an unknown state"),
        ("state = 'FAIL'", "trial 0 has scores and weights that do not match its state"),
        ("mse = 9e999", "a score of trial 0 is not finite"),
        ("bce = NULL", "row of trial 0 holds values of another type"),
        ("duration_s = -9e999", "the duration of trial 0 is not finite"),
        ("worker = printf('%.*c', 200000, 'w')", "trial 0 holds a text of 200000 characters"),
        ("weights = '[1, 2]'", "weights of trial 0 are not nine numbers"),
        ("weights = '[NaN, 1, 1, 1, 1, 1, 1, 1, 1]'", "weights of trial 0 are not nine numbers"),
        ("weights = '[0.1, 1, 1, 1, 1, 1, 1, 1, 1]'", "weights of trial 0 are not float32"),
        ("weights = '[1e300, 1, 1, 1, 1, 1, 1, 1, 1]'", "weights of trial 0 are not float32"),
        ("weights = '{'", "is damaged"),
    ],
)  # fmt: skip
def test_a_value_of_version_2_that_no_trial_has(one, change, message):
    forge(one, f"UPDATE trial SET {change} WHERE number = 0")
    before = one.ledger.read_bytes()
    for way in (Ledger.read, Ledger.open):
        with pytest.raises(UsageError, match=rf"is damaged: .*{message}|{message}"):
            way(one)
    assert one.ledger.read_bytes() == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("metric", '"mae"'),
        ("metric", "[1]"),
        ("data", '"iris"'),
        ("trials", "0"),
        ("engine", "1"),
        ("device", '"tpu"'),
        ("space", "5"),
        ("versions", "[1]"),
        ("sampler_version", "0"),
        ("forced", "2"),
        ("log_every", "1e999"),
    ],
)
def test_a_setting_of_version_2_that_is_not_valid(one, key, value):
    forge(one, f"REPLACE INTO setting VALUES ('{key}', '{value}')")
    with pytest.raises(UsageError, match=rf"study.db is damaged: .*(setting|{key})"):
        Ledger.read(one)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM trial WHERE number = 11",
        "DELETE FROM trial WHERE number = 0",
        "DELETE FROM setting WHERE key = 'trials'",
        "DELETE FROM seal",
        "UPDATE seal SET trials = trials + 1",
        "UPDATE trial SET mse = mse * 2 WHERE mse > 0",
        "UPDATE trial SET weights = replace(weights, '1', '2')",
    ],
)
def test_a_row_of_version_2_that_is_lost_or_changed(one, statement):
    with closing(sqlite3.connect(one.ledger)) as connection, connection:
        connection.execute(statement)
    with pytest.raises(UsageError, match=r"study.db is damaged: .*Restore it from a copy"):
        Ledger.read(one)


def test_a_damaged_curve_or_run_of_version_2_is_noticed_when_it_is_read(one):
    with closing(sqlite3.connect(one.ledger)) as connection, connection:
        connection.execute("UPDATE curve SET points = zeroblob(length(points)) WHERE number = 3")
        connection.execute("UPDATE run SET wall = wall + 1")
    with Ledger.read(one) as ledger:
        assert len(ledger.trials()) == 12
        assert ledger.curve(2).epochs
        with pytest.raises(UsageError, match="the curve of trial 3 is not as it was written"):
            ledger.curve(3)
        with pytest.raises(UsageError, match="the row of run 0 is not as it was written"):
            ledger.runs()


@pytest.mark.parametrize("statement", ["ALTER TABLE trial ADD COLUMN more", "DROP TABLE curve"])
def test_a_schema_of_version_2_that_another_program_changed(one, statement):
    with closing(sqlite3.connect(one.ledger)) as connection, connection:
        connection.execute(statement)
    with pytest.raises(UsageError, match="another program"):
        Ledger.open(one)


def test_what_others_added_outlives_the_upgrade(one):
    statements = [
        "CREATE TABLE other (a REFERENCES trial ON DELETE CASCADE)",
        "INSERT INTO other VALUES (3)",
        "CREATE VIEW best AS SELECT min(mse) FROM trial",
        "CREATE INDEX more ON trial (lr)",
        "ANALYZE",
    ]
    with closing(sqlite3.connect(one.ledger)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    with Ledger.open(one) as ledger:
        ledger.record(ledger.settings(), ledger.provenance())
    check(one)
    with closing(sqlite3.connect(one.ledger)) as connection:
        assert connection.execute("SELECT a FROM other").fetchall() == [(3,)]
        views = connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'")
        assert views.fetchall() == [("best",)]


def test_a_table_of_others_in_the_way_of_the_upgrade_is_named(one):
    with closing(sqlite3.connect(one.ledger)) as connection, connection:
        connection.execute("CREATE TABLE weight (kilograms)")
    with (
        Ledger.open(one) as ledger,
        pytest.raises(XortuneError, match="holds another program.s weight"),
    ):
        ledger.record(ledger.settings(), ledger.provenance())
    check(one)
    assert version(one) == version2.VERSION


def test_a_copy_is_of_the_version_that_the_file_has(one, tmp_path):
    copy = StudyPaths(tmp_path / "copy")
    copy.folder.mkdir()
    with Ledger.read(one) as ledger:
        ledger.copy_to(copy.ledger)
    for name in ("known.json", "trials.csv"):
        shutil.copy(one.folder / name, copy.folder)
    check(copy)
    assert struct.unpack(">I", copy.ledger.read_bytes()[60:64]) == (2,)
