"""The ledger: what goes in comes out, in full or not at all, from one driver at a time."""

import math
import os
import signal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.make import (
    make_curve,
    make_outcome,
    make_provenance,
    make_scores,
    make_settings,
    make_trial,
    make_weights,
)
from xortune.errors import StudyBusyError, UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.problems.xor.spec import SPEC
from xortune.spec import Metric, Objective, Parameter, ProblemSpec, Series
from xortune.trial import Curve, FinishedTrial, Outcome, Trial, Weights

SETTINGS = make_settings(trials=4, generation=2)
PROVENANCE = make_provenance(versions={"optuna": "5.0"}, reference={"cpu": "0123"})
DONE = make_outcome(
    curve=make_curve((0, 5), (0.3, 0.1), (0.4, 0.2)), duration_s=1.5, worker="host:1"
)
EMPTY = make_curve((), (), ())
# As unlike XOR as a spec can be.
OTHER = ProblemSpec(
    problem="other",
    parameters=(
        Parameter("optim/rate", "float", 0.0, low=-1e308, high=1e308),
        Parameter("layers", "int", -1, low=-(2**62), high=2**62),
        Parameter("batch", "choice", 32, choices=(32, 64.5, "100%", True)),
    ),
    metrics=(Metric("r2"), Metric("loss", "loss")),
    loss="loss",
    objectives=(Objective("r2", "maximize"),),
    curve=(Series("a", "a"), Series("b", "b"), Series("c", "c")),
)
BARE = replace(OTHER, curve=(), parameters=OTHER.parameters[:1])

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
    return make_trial(number, number // 2, lr=0.5, epochs=5, seed=number, loss_fn="bce")


@pytest.fixture
def paths(tmp_path) -> StudyPaths:
    """A study with four trials, of which the first is finished."""
    paths = StudyPaths(tmp_path / "results" / "one")
    with Ledger.create(paths, SETTINGS, PROVENANCE) as ledger:
        ledger.add_trials(map(waiting, range(4)))
        ledger.finish_trials([FinishedTrial(waiting(0), DONE)])
    return paths


def unfinished(ledger: Ledger) -> list[int]:
    return [row.trial.number for row in ledger.trials() if row.outcome is None]


def without_arrays(outcome: Outcome) -> Outcome:
    """As it is in a table."""
    return replace(outcome, curve=Curve(), weights=None)


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
        ledger.weighted()
        for row in ledger.trials():
            ledger.curve(row.trial.number)
            ledger.weights(row.trial.number)


def test_a_new_ledger_holds_its_settings(tmp_path) -> None:
    paths = StudyPaths(tmp_path / "results" / "one")
    with Ledger.create(paths, SETTINGS, PROVENANCE) as ledger:
        assert ledger.settings() == SETTINGS
        assert ledger.provenance() == PROVENANCE
        assert len(ledger.trials()) == 0
    with Ledger.read(paths) as ledger:
        assert ledger.settings() == SETTINGS
        assert ledger.provenance() == PROVENANCE


def test_settings_and_provenance_are_replaced(paths) -> None:
    larger = make_settings(trials=9, generation=None)
    forced = make_provenance("eager-1", forced=True)
    with Ledger.open(paths) as ledger:
        ledger.record(larger, forced)
        assert ledger.settings() == larger
    with Ledger.read(paths) as ledger:
        assert (ledger.settings(), ledger.provenance()) == (larger, forced)


def test_an_open_ledger_notices_that_its_settings_have_changed(paths) -> None:
    larger = make_settings(trials=9)
    with Ledger.read(paths) as reader:
        assert reader.settings() == SETTINGS
        with Ledger.open(paths) as writer:
            writer.record(larger, PROVENANCE)
        assert reader.settings() == larger
        edit(paths, "UPDATE setting SET value = '5' WHERE key = 'trials'")
        with pytest.raises(UsageError, match="settings are not as they were written"):
            reader.settings()


def test_a_study_is_not_made_twice(paths) -> None:
    before = paths.ledger.read_bytes()
    with pytest.raises(UsageError, match="File exists"):
        Ledger.create(paths, SETTINGS, PROVENANCE)
    assert paths.ledger.read_bytes() == before


def test_trials_wait_until_they_are_finished(paths) -> None:
    with Ledger.read(paths) as ledger:
        rows = ledger.trials()
        assert [row.trial for row in rows] == [waiting(number) for number in range(4)]
        assert unfinished(ledger) == [1, 2, 3]
        assert ledger.curve(0) == DONE.curve
        assert ledger.curve(1) == EMPTY
        assert ledger.curve(999) == EMPTY
        assert ledger.weights(0) == DONE.weights
        assert ledger.weights(1) is None
        assert ledger.weights(999) is None
        assert ledger.trial(0) == rows[0]
        assert ledger.trial(1) == rows[1]
        assert ledger.trial(4) is None


FINITE = st.floats(allow_nan=False, allow_infinity=False)
EPOCHS = st.lists(st.integers(0, 2**31 - 1), unique=True).map(sorted)
LAYOUTS = st.lists(
    st.tuples(st.text(), st.lists(st.integers(0, 3), max_size=3).map(tuple)), max_size=3
).map(tuple)


def values(parameter: Parameter) -> st.SearchStrategy[object]:
    """What training can take; None where a parameter may not apply."""
    low, high = parameter.low, parameter.high
    if parameter.kind == "choice":
        taken = st.sampled_from(parameter.choices)
    elif parameter.kind == "int":
        taken = st.integers(
            -(2**63) + 1 if low is None else low, 2**63 - 1 if high is None else high
        )
    else:
        taken = st.floats(low, high, exclude_min=parameter.above_low, allow_nan=False).filter(
            math.isfinite
        )
    return taken if parameter.name == "epochs" else st.none() | taken


@st.composite
def weights(draw) -> Weights:
    layout = draw(LAYOUTS)
    size = sum(math.prod(shape) for _, shape in layout)
    floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
    numbers = draw(st.lists(floats, min_size=size, max_size=size))
    return Weights(layout, struct.pack(f"<{size}f", *numbers))


@st.composite
def outcomes(draw, spec: ProblemSpec) -> Outcome:
    epochs = draw(EPOCHS)
    losses = st.lists(st.floats(), min_size=len(epochs), max_size=len(epochs)).map(tuple)
    curve = Curve(tuple(epochs), {series.name: draw(losses) for series in spec.curve})
    common = {
        "curve": curve,
        "duration_s": draw(st.none() | FINITE),
        "worker": draw(st.none() | st.text()),
        "error": draw(st.none() | st.text()),
    }
    if draw(st.booleans()):
        return Outcome("FAIL", **common)
    scores = spec.scores(draw(FINITE) for _ in spec.metrics)
    return Outcome("COMPLETE", scores=scores, weights=draw(st.none() | weights()), **common)


def finished_trials(spec: ProblemSpec) -> st.SearchStrategy[list[FinishedTrial]]:
    params = st.tuples(*map(values, spec.parameters)).map(spec.params)
    pairs = st.lists(st.tuples(params, outcomes(spec)), max_size=4)
    return pairs.map(
        lambda made: [
            FinishedTrial(Trial(number, number // 3, params), outcome)
            for number, (params, outcome) in enumerate(made)
        ]
    )


def plain(curve: Curve) -> tuple[object, ...]:
    """A curve that equals itself even where it holds NaN."""
    return curve.epochs, {name: list(map(repr, losses)) for name, losses in curve.series.items()}


@pytest.mark.parametrize("spec", [SPEC, OTHER, BARE], ids=["xor", "other", "bare"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_outcome_comes_back(tmp_path_factory, spec, data) -> None:
    finished = data.draw(finished_trials(spec))
    paths = StudyPaths(tmp_path_factory.mktemp("ledger") / "one")
    with Ledger.create(paths, replace(SETTINGS, spec=spec), PROVENANCE) as ledger:
        ledger.add_trials(f.trial for f in finished)
        ledger.finish_trials(finished)
    with Ledger.read(paths) as ledger:
        assert ledger.settings().spec == spec
        rows = ledger.trials()
        assert [row.trial for row in rows] == [f.trial for f in finished]
        for row, f in zip(rows, finished, strict=True):
            number = f.trial.number
            types = [type(value) for value in row.trial.params.row]
            assert types == [type(value) for value in f.trial.params.row]
            assert row.outcome == without_arrays(f.outcome)
            assert ledger.trial(number) == row
            assert plain(ledger.curve(number)) == plain(f.outcome.curve)
            assert ledger.weights(number) == f.outcome.weights


def test_a_table_longer_than_a_batch_comes_back(tmp_path) -> None:
    paths = StudyPaths(tmp_path / "one")
    asked = [make_trial(number, lr=1 / (number + 1), seed=number) for number in range(2500)]
    finished = [FinishedTrial(trial, make_outcome()) for trial in asked[:1200]]
    with Ledger.create(paths, SETTINGS, PROVENANCE) as ledger:
        ledger.add_trials(asked)
        ledger.finish_trials(finished)
        rows = ledger.trials()
        assert [row.trial for row in rows] == asked
        assert unfinished(ledger) == list(range(1200, 2500))
        assert ledger.weighted() == list(range(1200))


def test_the_curves_of_finished_trials_are_read_together(paths) -> None:
    failed = Outcome("FAIL", curve=EMPTY, error="lost")
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([FinishedTrial(waiting(2), failed)])
    with Ledger.read(paths) as ledger:
        assert ledger.curves() == {0: DONE.curve, 2: ledger.curve(2)}
        assert ledger.curves({1, 2}) == {2: ledger.curve(2)}
    edit(paths, "UPDATE curve SET points = x'00' WHERE number = 0")
    with Ledger.read(paths) as ledger, pytest.raises(UsageError, match="curve of trial 0"):
        ledger.curves()


def test_a_trial_that_is_finished_again_has_the_last_outcome(paths) -> None:
    curve = make_curve((0, 5), (1.0, math.inf), (1.0, math.nan))
    again = make_outcome("FAIL", curve=curve, error="late")
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([FinishedTrial(waiting(0), again)])
        assert ledger.trials()[0].outcome == without_arrays(again)
        assert plain(ledger.curve(0)) == plain(again.curve)
        assert ledger.weights(0) is None
        assert ledger.weighted() == []


def test_weights_are_kept_until_they_are_forgotten(paths) -> None:
    light = replace(DONE, weights=None)
    other = replace(DONE, weights=Weights((("w", (3,)),), struct.pack("<3f", 1, 2, 3)))
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([FinishedTrial(waiting(1), light), FinishedTrial(waiting(2), other)])
        assert ledger.weighted() == [0, 2]
        assert ledger.weights(2) == other.weights
        ledger.finish_trials([FinishedTrial(waiting(3), DONE)], forget=[0, 1])
        assert ledger.weighted() == [2, 3]
        assert ledger.weights(0) is None
        assert ledger.trials()[0].outcome == without_arrays(DONE)
        assert ledger.curve(0) == DONE.curve
    with Ledger.read(paths) as ledger:
        assert ledger.weights(3) == DONE.weights


def test_weights_that_are_forgotten_at_once_are_not_kept(paths) -> None:
    with Ledger.open(paths) as ledger:
        pack = [FinishedTrial(waiting(1), DONE), FinishedTrial(waiting(2), DONE)]
        ledger.finish_trials(pack, forget=[1])
        assert ledger.weighted() == [0, 2]
        assert unfinished(ledger) == [3]


def test_a_layout_is_written_once(paths) -> None:
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([FinishedTrial(waiting(1), DONE)])
        ledger.finish_trials([FinishedTrial(waiting(2), DONE)])
    with sqlite3.connect(paths.ledger) as connection:
        assert connection.execute("SELECT count(*) FROM layout").fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize(
    "broken",
    [
        Outcome(state=None),  # type: ignore[arg-type]
        make_outcome(curve=make_curve((0, None), (1.0, 1.0), (1.0, 1.0))),  # type: ignore[arg-type]
        make_outcome(curve=make_curve((0,), (object(),), (1.0,))),  # type: ignore[arg-type]
        make_outcome(curve=Curve((0,), {"training": (1.0,)})),
        make_outcome(scores=make_scores(mse=math.nan)),
        make_outcome(weights=Weights(make_weights().layout, "text")),  # type: ignore[arg-type]
    ],
    ids=["state", "epoch", "loss", "series", "metric", "weights"],
)
def test_a_pack_is_recorded_as_a_whole_or_not_at_all(paths, broken) -> None:
    with Ledger.open(paths) as ledger:
        before = list(ledger.trials())
        pack = [FinishedTrial(waiting(1), DONE), FinishedTrial(waiting(2), broken)]
        with pytest.raises((XortuneError, struct.error, ValueError, TypeError)):
            ledger.finish_trials(pack, forget=[0])
        assert list(ledger.trials()) == before
        assert ledger.curve(1) == EMPTY
        assert ledger.weighted() == [0]
        ledger.finish_trials([FinishedTrial(waiting(1), DONE)])
        assert unfinished(ledger) == [2, 3]


def test_other_errors_leave_nothing_behind_either(paths) -> None:
    huge = make_trial(2**80)
    with Ledger.open(paths) as ledger:
        before = list(ledger.trials())
        with pytest.raises(OverflowError):
            ledger.add_trials([waiting(4), huge])
        assert list(ledger.trials()) == before
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
            assert unfinished(ledger) == [1, 2, 3]
            assert ledger.trials()[0].outcome == without_arrays(DONE)


def test_a_ledger_that_cannot_be_opened_is_not_held(paths) -> None:
    edit(paths, "PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="version 99"):
        Ledger.open(paths)
    edit(paths, "PRAGMA user_version = 3")
    Ledger.open(paths).close()


def test_others_read_while_a_driver_writes(paths) -> None:
    with process(HOLD, paths.folder, says="open"), Ledger.read(paths) as reader:
        assert reader.settings() == SETTINGS
    with Ledger.open(paths) as writer, Ledger.read(paths) as reader:
        assert unfinished(reader) == [1, 2, 3]
        writer.finish_trials([FinishedTrial(waiting(1), DONE)])
        assert unfinished(reader) == [2, 3]
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
def test_a_file_that_is_not_a_ledger(paths, way, content) -> None:
    paths.ledger.write_bytes(content)
    with pytest.raises(UsageError, match=f"{paths.ledger} is not a study ledger"):
        way(paths)
    assert paths.ledger.read_bytes() == content


@pytest.mark.parametrize("way", [Ledger.open, Ledger.read])
def test_a_ledger_of_another_version(paths, way) -> None:
    edit(paths, "PRAGMA user_version = 99")
    with pytest.raises(UsageError) as caught:
        way(paths)
    assert f"{paths.ledger} has version 99" in str(caught.value)
    assert "reads version 2 and 3. Use the xortune that wrote it, or restore it" in str(
        caught.value
    )


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE setting",
        "DROP TABLE trial",
        "DROP TABLE paused",
        "DELETE FROM setting",
        "DELETE FROM setting WHERE key = 'engine'",
        "UPDATE setting SET value = '{' WHERE key = 'trials'",
        "DELETE FROM trial WHERE number = 3",
        "DELETE FROM curve",
        "DELETE FROM weight",
        "DELETE FROM layout",
        "UPDATE weight SET content = zeroblob(length(content))",
        "UPDATE weight SET layout = 1",
        "UPDATE layout SET content = replace(content, 'fc1', 'fc3')",
        "UPDATE trial SET parameters = replace(parameters, '0.5', '0.6')",
        "UPDATE trial SET metrics = replace(metrics, '0.25', '0.26')",
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
    row = connection.execute("SELECT parameters, metrics FROM trial WHERE number = 0").fetchone()
    (content,) = connection.execute("SELECT content FROM weight").fetchone()
    connection.close()
    assert row == (
        '{"lr":0.5,"epochs":5,"seed":0,"loss_fn":"bce"}',
        '{"train_loss":0.25,"mse":0.25,"bce":0.5,"accuracy":0.75}',
    )
    assert content == struct.pack("<9f", *range(9))


def test_weights_that_a_query_misses_are_missed(paths) -> None:
    """A row under another number, as a damaged page has it, is noticed by whoever looks for it."""
    with closing(sqlite3.connect(paths.ledger)) as connection, connection:
        connection.execute("UPDATE weight SET number = 1")
    with Ledger.read(paths) as ledger, pytest.raises(UsageError, match="weights of trial 1"):
        ledger.weights(0)


@pytest.mark.parametrize("spans", [((3, 2),), ((0, 4), (4, 6)), ((5, 6), (0, 1)), ((-1, 2),)])
def test_numbers_of_outdated_trials_ascend(paths, spans) -> None:
    with Ledger.open(paths) as ledger:
        ledger.record(ledger.settings(), replace(ledger.provenance(), outdated=((0, 1), (3, 3))))
        assert ledger.provenance().outdated_numbers() == {0, 1, 3}
        ledger.record(ledger.settings(), replace(ledger.provenance(), outdated=spans))
        with pytest.raises(UsageError, match="'outdated' does not hold numbers of trials"):
            ledger.provenance()


def test_how_a_study_is_trained_is_recorded(paths) -> None:
    recorded = make_provenance(
        training="packs", padding=(64, 64), other_references={"cpu": ("a", "b")}
    )
    with Ledger.open(paths) as ledger:
        ledger.record(replace(ledger.settings(), mixed=True), recorded)
    with Ledger.read(paths) as ledger:
        assert ledger.provenance() == recorded
        assert ledger.settings().mixed


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"training": 1}, "'training' is not a text"),
        ({"padding": (0, 2)}, "'padding' does not hold two numbers of lanes"),
        ({"padding": (64,)}, "'padding' does not hold two numbers of lanes"),
        ({"padding": (2**40, 2)}, "'padding' does not hold two numbers of lanes"),
        ({"other_references": {"cpu": (1,)}}, "'other_references' does not hold lists of texts"),
        ({"other_references": {"cpu": "a"}}, "'other_references' does not hold lists of texts"),
    ],
)
def test_what_no_study_is_trained_with_is_damage(paths, wrong, words) -> None:
    with Ledger.open(paths) as ledger:
        ledger.record(ledger.settings(), replace(ledger.provenance(), **wrong))
        with pytest.raises(UsageError, match=words):
            ledger.provenance()
