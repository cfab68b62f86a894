"""Trials at a rung in the ledger: the outcomes of their lanes come back, or damage is noticed."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.contract.cases import CASES, bits, train
from tests.faults.driver.forgery import forge
from tests.ledger.rungs import (
    DTYPES,
    LANES,
    complete,
    edit,
    lane,
    new_study,
    plain,
    pruned,
    rows_of,
    rung_settings,
    trained,
)
from tests.make import make_curve, make_outcome, make_provenance
from xortune.errors import UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.ledger.lane_arrays import packed, unpacked
from xortune.paths import StudyPaths
from xortune.problems.xor.spec import SPEC
from xortune.trial import Curve, Outcome, Paused, RawArray, Trial

SETTINGS = rung_settings(3)
STATES = {4: (lane(), lane("FAIL"), lane()), 5: (lane(), lane(), lane(epoch=7))}
NAMES = SPEC.metric_names


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> StudyPaths:
    """Two trials at a rung, beside finished ones and those that wait."""
    paths = new_study(tmp_path_factory.mktemp("study") / "one", SETTINGS)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([complete(SETTINGS.spec, 0, 3)], paused=STATES)
    return paths


def check_refused(paths: StudyPaths, numbers: list[int] | None, message: str = "") -> None:
    pattern = f"study.db is damaged: .*{message}.*from a copy"
    with Ledger.read(paths) as ledger, pytest.raises(UsageError, match=pattern):
        ledger.paused(numbers)


def test_the_lanes_of_trials_at_a_rung_come_back(paths):
    with Ledger.read(paths) as ledger:
        assert ledger.paused() == STATES
        assert ledger.paused([5, 6]) == {5: STATES[5]}
        assert ledger.paused(iter([4])) == {4: STATES[4]}
        assert ledger.paused([]) == ledger.paused([0, 7, 99]) == {}
        assert [row.outcome is None for row in ledger.trials()] == [False] + [True] * 7


def test_a_later_rung_replaces_the_states_of_an_earlier_one(paths):
    later = (lane(epoch=15), lane("COMPLETE"), lane("FAIL"))
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([], paused={4: later, 6: STATES[5]})
        assert ledger.paused() == {4: later, 5: STATES[5], 6: STATES[5]}
        ledger.finish_trials([], paused={4: ()})
        assert ledger.paused([4, 5]) == {5: STATES[5]}
    rows_of(paths, "paused", "paused")


def test_the_states_of_finished_trials_are_removed(paths):
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([pruned(SETTINGS.spec, 4)], paused={6: STATES[5]})
        assert ledger.paused() == {5: STATES[5], 6: STATES[5]}
        ledger.finish_trials([complete(SETTINGS.spec, 5, 3), complete(SETTINGS.spec, 6, 3)])
        assert ledger.paused() == {}
        assert ledger.replicates(5) == [*trained(3)]
    assert rows_of(paths, "paused", "paused") == 0


def test_a_trial_is_not_finished_and_paused_at_once(paths):
    with (
        Ledger.open(paths) as ledger,
        pytest.raises(ValueError, match="trial 4 is finished, and also paused"),
    ):
        ledger.finish_trials([pruned(SETTINGS.spec, 4)], paused=STATES)


@settings(max_examples=150, deadline=None)
@given(LANES, st.integers(1, 9))
def test_every_lane_comes_back_from_its_arrays(drawn, lanes):
    arrays = packed(drawn, lanes, NAMES)
    epoch = 0 if drawn.paused is None else drawn.paused.epoch
    backwards = dict(sorted(arrays.items(), reverse=True))
    assert plain(unpacked(epoch, backwards, lanes, NAMES, "it")) == plain(drawn)


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(st.integers(0, 7), st.lists(LANES, max_size=3).map(tuple), max_size=3))
def test_every_lane_comes_back_from_the_ledger(tmp_path_factory, drawn):
    paths = new_study(tmp_path_factory.mktemp("ledger") / "one", SETTINGS)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([], paused=drawn)
    with Ledger.read(paths) as ledger:
        found = ledger.paused()
        assert found.keys() == {number for number, lanes in drawn.items() if lanes}
        for number, lanes in found.items():
            assert [*map(plain, lanes)] == [*map(plain, drawn[number])]
            assert [*map(plain, ledger.paused([number])[number])] == [*map(plain, lanes)]


def paused_with(**arrays: RawArray) -> Outcome:
    return Outcome("RUNNING", paused=Paused(5, arrays))


@pytest.mark.parametrize(
    "broken",
    [
        (lane(),) * 4,
        (replace(lane(), state="WAITING"),),
        (replace(lane(), replicates=trained(2)),),
        (replace(lane(), lanes=(lane(),)),),
        (replace(lane(), scores=SETTINGS.spec.scores(range(len(SETTINGS.spec.metrics)))),),
        (replace(lane(), curve=Curve((0, 5), {"training": (1.0,)})),),
        (replace(lane(), duration_s=float("nan")),),
        (replace(lane(), paused=Paused(-1, {})),),
        (paused_with(w=RawArray("<f2", (1,), bytes(2))),),
        (paused_with(w=RawArray("|O", (1,), bytes(8))),),
        (paused_with(w=RawArray(">f4", (1,), bytes(4))),),
        (paused_with(w=RawArray("<f4", (2,), bytes(4))),),
        (paused_with(w=RawArray("<f4", (-1, -1), bytes(4))),),
        (paused_with(w=RawArray("|b1", (1,), b"\2")),),
    ],
    ids=[
        "lanes", "state", "replicates", "nested", "metrics", "series", "duration", "epoch",
        "half", "objects", "big-endian", "size", "negative", "truth",
    ],
)  # fmt: skip
def test_what_could_not_be_read_again_is_not_written(paths, broken):
    with Ledger.open(paths) as ledger:
        with pytest.raises(ValueError):  # noqa: PT011
            ledger.finish_trials([complete(SETTINGS.spec, 5, 3)], paused={6: STATES[5], 7: broken})
        assert ledger.paused() == STATES
        assert ledger.trial(5).outcome is None
    rows_of(paths, "paused", "paused")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM paused WHERE trial = 4 AND name = 'weights'",
        "DELETE FROM paused WHERE trial = 4 AND replicate = 1",
        "DELETE FROM paused WHERE trial = 4",
        "DELETE FROM paused",
        "UPDATE seal SET paused = paused + 1",
        "INSERT INTO paused VALUES (4, 0, 5, 'more', '|u1', '[0]', x'', 0)",
    ],
)
@pytest.mark.parametrize("numbers", [None, [4], [5], [7]])
def test_a_row_that_is_lost_or_added_is_noticed(paths, statement, numbers):
    edit(paths, statement)
    check_refused(paths, numbers)


@pytest.mark.parametrize(
    "changed",
    [
        "trial = 6", "replicate = 1", "epoch = epoch + 1", "name = 'other'", "dtype = '<i4'",
        "shape = '[9]'", "content = zeroblob(36)", "digest = digest + 1",
    ],
)  # fmt: skip
def test_a_value_that_is_changed_is_noticed(paths, changed):
    where = "WHERE trial = 4 AND replicate = 0 AND name = 'weights'"
    with closing(sqlite3.connect(paths.ledger)) as connection, connection:
        assert connection.execute(f"UPDATE paused SET {changed} {where}").rowcount == 1
    check_refused(paths, [4])
    check_refused(paths, None)


ONE = "WHERE trial = 4 AND replicate = 0 AND name = 'weights'"


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("trial", 77, "trial 77 is paused, but not waiting"),
        ("trial", -1, "trial -1 is paused, but not waiting"),
        ("replicate", -1, "impossible name or replicate"),
        ("replicate", 3, "paused with other replicates"),
        ("epoch", -1, "impossible epoch"),
        ("epoch", 2**60, "impossible epoch"),
        ("epoch", 6, "impossible epoch"),
        ("epoch", 0.5, "values of another type"),
        ("name", "other", "lacks some of its arrays, or has others"),
        ("name", ":other", "lacks some of its arrays, or has others"),
        ("name", "n" * 1_000_000, "impossible name or replicate"),
        ("name", b"weights", "values of another type"),
        ("dtype", "<f2", "has the type '<f2', and not one of <f4, <f8,"),
        ("dtype", "|O", "has the type '|O'"),
        ("dtype", ">f4", "has the type '>f4'"),
        ("dtype", "<f8", "do not fill its shape"),
        ("dtype", "|b1", "do not fill its shape"),
        ("shape", "[]", "do not fill its shape"),
        ("shape", "[-3,-3]", "not a list of sizes"),
        ("shape", "[true,9]", "not a list of sizes"),
        ("shape", "[9.0]", "not a list of sizes"),
        ("shape", "9", "not a list of sizes"),
        ("shape", "[" * 900, "not a list of sizes"),
        ("shape", "[" + " " * 1_000_000 + "9]", "not a list of sizes"),
        ("content", bytes(35), "35 bytes, which do not fill its shape"),
        ("content", bytes(72), "72 bytes, which do not fill its shape"),
        ("content", "text", "values of another type"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_value_that_no_paused_trial_has(paths, column, value, message):
    forge(paths.folder, (f"UPDATE paused SET {column} = ? {ONE}", [value]))
    check_refused(paths, None, re.escape(message))


USUAL = {
    "state": "FAIL",
    "lanes": 1,
    "names": [":curve:epochs", ":curve:series"],
    "series": [],
    "paused_series": None,
    "layout": None,
    "duration_s": None,
    "worker": None,
    "error": None,
}
EMPTY = {":curve:epochs": RawArray("<i8", (0,), b""), ":curve:series": RawArray("<f8", (0, 0), b"")}


def described(**changed: object) -> bytes:
    return json.dumps({**USUAL, **changed}).encode()


def unpacked_with(text: bytes, **arrays: RawArray) -> Outcome:
    outcome = RawArray("|u1", (len(text),), text)
    return unpacked(0, {":outcome": outcome, **EMPTY, **arrays}, 1, NAMES, "lane 0")


def test_what_the_other_values_are_changes_of_is_read():
    assert unpacked_with(described()) == Outcome("FAIL")


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"\xff", b"[]", b"null", b"{}", b"[" * 100_000,
        described(more=1), described(state="WAITING"), described(state=None),
        described(lanes=2), described(lanes=True), described(lanes=1.0),
        described(names=[]), described(names="w"), described(names=[1, 2]),
        described(names=[*USUAL["names"], "w"]), described(names=[*USUAL["names"]] * 2),
        described(series=["a"]), described(series=None), described(series=["a", "a"]),
        described(paused_series=[]), described(paused_series=0),
        described(layout=[]), described(layout=[["w", 9]]), described(layout=[["w", [-1]]]),
        described(duration_s=1), described(duration_s=True), described(duration_s="1"),
        described(duration_s=1).replace(b": 1,", b": NaN,"),
        described(duration_s=1).replace(b": 1,", b": 1e999,"),
        described(worker=1), described(worker="w" * 200_000), described(error=["e"]),
        b" " * 5_000_000 + described(),
    ],
    ids=lambda text: text[:20].decode(errors="replace") or "empty",
)  # fmt: skip
def test_a_description_that_no_lane_has(text):
    with pytest.raises(ValueError, match="lane 0"):
        unpacked_with(text)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        (":curve:epochs", RawArray("<i8", (), bytes(8))),
        (":curve:epochs", RawArray("<i8", (2,), (0).to_bytes(8, "little") * 2)),
        (":curve:epochs", RawArray("<i8", (1,), b"\xff" * 8)),
        (":curve:epochs", RawArray("<f8", (0,), b"")),
        (":curve:series", RawArray("<f8", (1, 0), b"")),
        (":curve:series", RawArray("<f4", (0, 0), b"")),
        (":scores", RawArray("<f8", (4,), bytes(32))),
    ],
)
def test_arrays_that_no_lane_has(name, array):
    with pytest.raises(ValueError, match="lane 0"):
        unpacked_with(described(), **{name: array})


@pytest.mark.parametrize("scores", [RawArray("<f8", (3,), bytes(24)), RawArray("<f4", (4,), b"")])
def test_metrics_of_another_problem_are_refused(scores):
    text = described(names=[*USUAL["names"], ":scores"])
    with pytest.raises(ValueError, match=r"metrics of lane 0 are not train_loss, mse, bce"):
        unpacked_with(text, **{":scores": scores})


def test_weights_that_do_not_fill_their_layout_are_refused():
    text = described(names=[*USUAL["names"], ":weights"], layout=[["w", [2]]])
    for weights in (RawArray("<f4", (3,), bytes(12)), RawArray("<f8", (2,), bytes(16))):
        with pytest.raises(ValueError, match="weights of lane 0 do not fill their layout"):
            unpacked_with(text, **{":weights": weights})


def test_a_trial_is_paused_or_finished(paths):
    """A stranger who knows how rows are sealed gives a finished trial a state."""
    forge(paths.folder, "UPDATE paused SET trial = 0 WHERE trial = 4")
    check_refused(paths, None, "trial 0 is paused, but not waiting")
    check_refused(paths, [0], "trial 0 is paused, but not waiting")


def test_a_study_has_no_more_lanes_than_replicates(tmp_path):
    paths = new_study(tmp_path / "one", SETTINGS)
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([], paused={1: (lane(), lane(), lane())})
        ledger.record(replace(SETTINGS, replicates=2), ledger.provenance())
        with pytest.raises(UsageError, match="trial 1 is paused with other replicates"):
            ledger.paused()


@pytest.mark.parametrize("dtype", [*DTYPES])
def test_arrays_of_every_known_type_are_kept(paths, dtype):
    arrays = {
        "a": RawArray(dtype, (2, 1), bytes(2 * DTYPES[dtype])),
        "b": RawArray(dtype, (0,), b""),
    }
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([], paused={7: (paused_with(**arrays),)})
        (found,) = ledger.paused([7])[7]
        assert [*found.paused.arrays.items()] == [*arrays.items()]


def test_a_copy_has_the_states(paths, tmp_path):
    (tmp_path / "copy").mkdir()
    with Ledger.read(paths) as ledger:
        ledger.copy_to(tmp_path / "copy" / "study.db")
    with Ledger.open(StudyPaths(tmp_path / "copy")) as copy:
        assert copy.paused() == STATES


def test_a_study_without_replicates_and_rungs_does_not_touch_their_tables(tmp_path):
    paths = new_study(tmp_path / "one", rung_settings(pruner="none"))
    statements: list[str] = []
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([complete(SPEC, 0)])  # The first write checks the schema.
        ledger._file._connection.set_trace_callback(statements.append)
        ledger.finish_trials([complete(SPEC, 1)])
        ledger._file._connection.set_trace_callback(None)
        assert ledger.paused() == ledger.paused([0, 1]) == {}
    assert any("curve" in statement for statement in statements)
    assert not any("replicate" in s or "paused" in s for s in statements)


def test_states_are_kept_with_their_pack_or_not_at_all(paths):
    unknown = complete(SETTINGS.spec, 99, 3)
    with Ledger.open(paths) as ledger:
        with pytest.raises(XortuneError, match="1 of 1 trials are unknown"):
            ledger.finish_trials([unknown], paused={4: STATES[5]})
        assert ledger.paused() == STATES


def test_lanes_that_have_ended_wait_for_the_others(paths):
    failed = make_outcome("FAIL", curve=make_curve((0,), (1.0,), (1.0,)), worker="host:1")
    with Ledger.open(paths) as ledger:
        ledger.finish_trials([], paused={6: (failed, make_outcome(), lane())})
        assert ledger.paused([6])[6] == (failed, make_outcome(), lane())


ENGINES = [case for case in CASES if case.name in ("eager", "plain, regression")]


@pytest.mark.parametrize("case", ENGINES, ids=lambda case: case.name)
def test_what_an_engine_paused_continues_from_the_ledger_to_the_same_bits(case, tmp_path):
    engine = case.make()
    spec = engine.spec.extended(replicated=False, pruned=True)
    study = replace(SETTINGS, spec=spec, replicates=1, problem={})
    trials = dict(enumerate(case.drawn(6)))
    first = train(engine, trials, until=2)
    running = {n: (outcome,) for n, outcome in first.items() if outcome.state == "RUNNING"}
    assert running
    with Ledger.create(StudyPaths(tmp_path / "one"), study, make_provenance()) as ledger:
        ledger.add_trials(Trial(n, 0, params) for n, params in trials.items())
        ledger.finish_trials([], paused=running)
        found = {number: lanes[0] for number, lanes in ledger.paused().items()}
    assert {n: plain(lane) for n, lane in found.items()} == {
        n: plain(lanes[0]) for n, lanes in running.items()
    }
    left = {number: trials[number] for number in found}
    again = train(engine, left, paused=[lane.paused for lane in found.values()])
    undisturbed = train(engine, trials)
    assert {n: bits(o) for n, o in again.items()} == {n: bits(undisturbed[n]) for n in again}
