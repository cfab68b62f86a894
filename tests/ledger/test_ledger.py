"""The ledger: what goes in comes out, whole or not at all, from one driver at a time."""

import json
import math
import os
import signal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xortune.errors import StudyBusyError, UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.settings import StudySettings
from xortune.trial import LOSS_FNS, Curve, FinishedTrial, Outcome, Params, Scores, Trial

SETTINGS = StudySettings({"lr": {"min": 0.1, "max": 1.0}}, trials=4, generation=2)
SCORES = Scores(train_loss=0.5, mse=0.25, bce=0.75, accuracy=1.0)
WEIGHTS = tuple(0.1 * i for i in range(9))
DONE = Outcome(
    "COMPLETE", SCORES, Curve((0, 5), (0.3, 0.1), (0.4, 0.2)), WEIGHTS, 1.5, "host:1", None
)
EMPTY = Curve((), (), ())

HOLD = """
import sys
from pathlib import Path
from xortune.ledger import Ledger
from xortune.paths import StudyPaths

ledger = Ledger.open(StudyPaths(Path(sys.argv[1])))
print("open", flush=True)
sys.stdin.read()
"""
HALF = """
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE trial SET state = 'FAIL', error = printf('%.*c', 100000, 'x')")
print("half", flush=True)
sys.stdin.read()
"""
READ = """
import sys
from pathlib import Path
from xortune.ledger import Ledger
from xortune.paths import StudyPaths

with Ledger.read(StudyPaths(Path(sys.argv[1]))) as ledger:
    print(ledger.settings().trials, len(ledger.trials()), len(ledger.curve(0).epochs))
"""


def waiting(number: int) -> Trial:
    return Trial(number, number // 2, Params(lr=0.5, epochs=5, seed=number, loss_fn="bce"))


@pytest.fixture
def paths(tmp_path) -> StudyPaths:
    """A study with four trials, of which the first is finished."""
    paths = StudyPaths(tmp_path / "results" / "one")
    with Ledger.create(paths, SETTINGS) as ledger:
        ledger.add_trials(map(waiting, range(4)))
        ledger.finish_trials([FinishedTrial(waiting(0), DONE)])
    return paths


@contextmanager
def process(script: str, argument: Path, says: str) -> Iterator[subprocess.Popen[str]]:
    """A second process, once it has said so; killed at the end."""
    command = [sys.executable, "-c", script, str(argument)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == says
            yield child
        finally:
            child.kill()


def edit(paths: StudyPaths, statement: str) -> None:
    connection = sqlite3.connect(paths.ledger)
    with connection:
        connection.execute(statement)
    connection.close()


def read_all(paths: StudyPaths) -> None:
    with Ledger.read(paths) as ledger:
        ledger.settings()
        ledger.trials()


def test_a_new_ledger_holds_its_settings(tmp_path) -> None:
    paths = StudyPaths(tmp_path / "results" / "one")
    with Ledger.create(paths, SETTINGS) as ledger:
        assert ledger.settings() == SETTINGS
        assert ledger.trials() == []
    with Ledger.read(paths) as ledger:
        assert ledger.settings() == SETTINGS


def test_settings_are_replaced(paths) -> None:
    larger = StudySettings(SETTINGS.space, trials=9, generation=None)
    with Ledger.open(paths) as ledger:
        ledger.write_settings(larger)
    with Ledger.read(paths) as ledger:
        assert ledger.settings() == larger


def test_a_study_is_not_made_twice(paths) -> None:
    before = paths.ledger.read_bytes()
    with pytest.raises(UsageError, match="File exists"):
        Ledger.create(paths, SETTINGS)
    assert paths.ledger.read_bytes() == before


def test_trials_wait_until_they_are_finished(paths) -> None:
    with Ledger.read(paths) as ledger:
        rows = ledger.trials()
        assert [row.trial for row in rows] == [waiting(number) for number in range(4)]
        assert [row.outcome is None for row in rows] == [False, True, True, True]
        assert ledger.curve(0) == DONE.curve
        assert ledger.curve(1) == EMPTY
        assert ledger.curve(999) == EMPTY


FINITE = st.floats(allow_nan=False, allow_infinity=False)
EPOCHS = st.lists(st.integers(0, 2**31 - 1), unique=True).map(sorted)
PARAMS = st.builds(
    Params,
    lr=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    epochs=st.integers(1, 2**31 - 1),
    seed=st.integers(0, 2**32 - 1),
    loss_fn=st.sampled_from(LOSS_FNS),
)


@st.composite
def curves(draw) -> Curve:
    epochs = draw(EPOCHS)
    losses = st.lists(st.floats(), min_size=len(epochs), max_size=len(epochs)).map(tuple)
    return Curve(tuple(epochs), draw(losses), draw(losses))


@st.composite
def outcomes(draw) -> Outcome:
    common = {
        "curve": draw(curves()),
        "duration_s": draw(st.none() | FINITE),
        "worker": draw(st.none() | st.text()),
        "error": draw(st.none() | st.text()),
    }
    if draw(st.booleans()):
        return Outcome("FAIL", **common)
    weights = tuple(draw(st.lists(FINITE, min_size=9, max_size=9)))
    scores = Scores(*(draw(FINITE) for _ in range(4)))
    return Outcome("COMPLETE", scores=scores, weights=weights, **common)


def plain(curve: Curve) -> tuple[object, ...]:
    """A curve that equals itself even where it holds NaN."""

    def losses(values: tuple[float, ...]) -> list[object]:
        return ["nan" if math.isnan(value) else value for value in values]

    return curve.epochs, losses(curve.training), losses(curve.validation)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(PARAMS, outcomes()), max_size=4))
def test_every_outcome_comes_back(tmp_path_factory, given_trials) -> None:
    paths = StudyPaths(tmp_path_factory.mktemp("ledger") / "one")
    finished = [
        FinishedTrial(Trial(number, number // 3, params), outcome)
        for number, (params, outcome) in enumerate(given_trials)
    ]
    with Ledger.create(paths, SETTINGS) as ledger:
        ledger.add_trials(f.trial for f in finished)
        ledger.finish_trials(finished)
    with Ledger.read(paths) as ledger:
        rows = ledger.trials()
        assert [row.trial for row in rows] == [f.trial for f in finished]
        for row, f in zip(rows, finished, strict=True):
            assert row.outcome is not None
            assert row.outcome.curve == EMPTY
            assert vars(row.outcome) == {**vars(f.outcome), "curve": EMPTY}
            assert plain(ledger.curve(f.trial.number)) == plain(f.outcome.curve)


def test_a_trial_that_is_finished_again_has_the_last_outcome(paths) -> None:
    again = Outcome("FAIL", curve=Curve((0, 5), (1.0, math.inf), (1.0, math.nan)), error="late")
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([FinishedTrial(waiting(0), again)])
        assert vars(ledger.trials()[0].outcome) == {**vars(again), "curve": EMPTY}
        assert plain(ledger.curve(0)) == plain(again.curve)


@pytest.mark.parametrize(
    "broken",
    [
        Outcome(state=None),  # type: ignore[arg-type]
        Outcome("COMPLETE", SCORES, Curve((0, None), (1.0, 1.0), (1.0, 1.0))),  # type: ignore[arg-type]
        Outcome("COMPLETE", SCORES, Curve((0,), (object(),), (1.0,))),  # type: ignore[arg-type]
    ],
    ids=["state", "epoch", "loss"],
)
def test_a_pack_is_recorded_as_a_whole_or_not_at_all(paths, broken) -> None:
    with Ledger.open(paths) as ledger:
        before = ledger.trials()
        pack = [FinishedTrial(waiting(1), DONE), FinishedTrial(waiting(2), broken)]
        with pytest.raises((XortuneError, struct.error)):
            ledger.finish_trials(pack)
        assert ledger.trials() == before
        assert ledger.curve(1) == EMPTY
        ledger.finish_trials([FinishedTrial(waiting(1), DONE)])
        assert ledger.trials()[1].outcome is not None


def test_other_errors_leave_nothing_behind_either(paths) -> None:
    huge = Trial(2**80, 0, Params())
    with Ledger.open(paths) as ledger:
        before = ledger.trials()
        with pytest.raises(OverflowError):
            ledger.add_trials([waiting(4), huge])
        assert ledger.trials() == before
        ledger.add_trials([waiting(4)])


def test_a_trial_is_not_added_twice(paths) -> None:
    with Ledger.open(paths) as ledger:
        with pytest.raises(XortuneError, match="UNIQUE"):
            ledger.add_trials([waiting(4), waiting(3)])
        assert len(ledger.trials()) == 4


def test_a_second_driver_hears_of_the_first(paths) -> None:
    with process(HOLD, paths.folder, says="open") as child:
        with pytest.raises(StudyBusyError) as caught:
            Ledger.open(paths)
        assert "study one: another driver is at work on it" in str(caught.value)
        assert f"process {child.pid} on " in str(caught.value)
        assert "Wait for it, or stop it first." in str(caught.value)


def test_a_second_driver_is_refused_within_one_process(paths) -> None:
    with Ledger.open(paths) as first, pytest.raises(StudyBusyError, match=f" {os.getpid()} on "):
        Ledger.open(paths)
    with Ledger.open(paths) as second:
        assert second is not first


def test_a_killed_driver_gives_the_study_up(paths) -> None:
    with process(HOLD, paths.folder, says="open") as child:
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        with Ledger.open(paths) as ledger:
            ledger.finish_trials([FinishedTrial(waiting(1), DONE)])


def test_what_a_killed_driver_had_half_written_is_gone(paths) -> None:
    with process(HALF, paths.ledger, says="half") as child:
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert paths.folder.joinpath("study.db-journal").stat().st_size > 0
        with Ledger.open(paths) as ledger:
            assert [row.outcome is None for row in ledger.trials()] == [False, True, True, True]
            assert ledger.trials()[0].outcome.error is None


def test_a_ledger_that_cannot_be_opened_is_not_held(paths) -> None:
    edit(paths, "PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="version 99"):
        Ledger.open(paths)
    edit(paths, "PRAGMA user_version = 2")
    Ledger.open(paths).close()


def test_others_read_while_a_driver_writes(paths) -> None:
    with process(HOLD, paths.folder, says="open"), Ledger.read(paths) as reader:
        assert reader.settings() == SETTINGS
    with Ledger.open(paths) as writer, Ledger.read(paths) as reader:
        assert [row.outcome is None for row in reader.trials()] == [False, True, True, True]
        writer.finish_trials([FinishedTrial(waiting(1), DONE)])
        assert [row.outcome is None for row in reader.trials()] == [False, False, True, True]
        assert reader.curve(1) == DONE.curve


def test_a_reader_writes_nothing(paths) -> None:
    before = paths.ledger.read_bytes()
    with Ledger.read(paths) as reader:
        with pytest.raises(XortuneError, match="readonly"):
            reader.add_trials([waiting(4)])
        assert len(reader.trials()) == 4
    assert paths.ledger.read_bytes() == before


def test_a_study_in_a_read_only_folder_is_read(paths, unprivileged) -> None:
    paths.ledger.chmod(0o444)
    paths.folder.chmod(0o555)
    command = [*unprivileged, sys.executable, "-c", READ, str(paths.folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    paths.folder.chmod(0o755)
    assert (done.stdout, done.stderr) == ("4 4 2\n", "")


def test_no_driver_for_a_read_only_folder(paths, unprivileged) -> None:
    paths.lock.unlink()
    paths.folder.chmod(0o555)
    command = [*unprivileged, sys.executable, "-c", HOLD, str(paths.folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    paths.folder.chmod(0o755)
    last = done.stderr.splitlines()[-1]
    assert last == (
        f"xortune.errors.UsageError: study one: {paths.folder}: Permission denied. "
        "Restore access to it."
    )


@pytest.mark.parametrize("content", [b"hello" * 1000, b"SQLite format 3\0" + b"\xff" * 4080])
@pytest.mark.parametrize("way", [Ledger.open, Ledger.read])
def test_a_file_that_is_no_ledger(paths, way, content) -> None:
    paths.ledger.write_bytes(content)
    with pytest.raises(UsageError, match=f"{paths.ledger} is no ledger of a study"):
        way(paths)
    assert paths.ledger.read_bytes() == content


@pytest.mark.parametrize("way", [Ledger.open, Ledger.read])
def test_a_ledger_of_another_version(paths, way) -> None:
    edit(paths, "PRAGMA user_version = 99")
    with pytest.raises(UsageError) as caught:
        way(paths)
    assert f"{paths.ledger} has version 99" in str(caught.value)
    assert "reads version 2. Use the xortune that made it, or restore it" in str(caught.value)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE setting",
        "DROP TABLE trial",
        "DELETE FROM setting",
        "UPDATE setting SET value = '{' WHERE key = 'trials'",
    ],
)
def test_a_damaged_ledger_is_said_to_be_one(paths, statement) -> None:
    edit(paths, statement)
    with pytest.raises(UsageError, match=str(paths.ledger)):
        read_all(paths)


def test_damaged_pages_are_said_to_be_so(paths) -> None:
    content = paths.ledger.read_bytes()
    paths.ledger.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(UsageError, match=str(paths.ledger)):
        read_all(paths)


def test_a_study_folder_holds_no_pickles_and_no_stray_files(paths) -> None:
    assert {path.name for path in paths.folder.iterdir()} <= {"study.db", ".lock"}
    connection = sqlite3.connect(paths.ledger)
    kinds = connection.execute(
        "SELECT DISTINCT typeof(lr), typeof(weights), typeof(error) FROM trial"
    ).fetchall()
    (weights,) = connection.execute("SELECT weights FROM trial WHERE number = 0").fetchone()
    connection.close()
    assert "blob" not in {kind for row in kinds for kind in row}
    assert json.loads(weights) == list(WEIGHTS)
