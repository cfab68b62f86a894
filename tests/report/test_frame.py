"""The ranked DataFrame, and the files that hold it."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.rungs import complete as complete_one
from tests.ledger.rungs import pruned, rung_settings, trial_of
from tests.make import make_curve, make_outcome
from tests.report.rows import (
    complete,
    failed,
    ledgers,
    make_frame,
    on_one_line,
    read_csv,
    renumbered,
    waiting,
)
from tests.report.specs import FOREST, PLAIN, make_table_of
from xortune.problems.xor.spec import SPEC
from xortune.report import (
    UNREPEATABLE,
    columns,
    curve_frame,
    plain_rows,
    trials_frame,
    write_tables,
)
from xortune.spec import Goal
from xortune.trial import Curve, FinishedTrial
from xortune.trial_table import TrialTable

DTYPES = {
    "rank": "Int64",
    "number": "int64",
    "state": "string",
    "lr": "float64",
    "epochs": "int64",
    "seed": "int64",
    "loss_fn": "string",
    "final_loss": "float64",
    "train_loss": "float64",
    "mse": "float64",
    "bce": "float64",
    "accuracy": "float64",
    "solved": "boolean",
    "duration_s": "float64",
    "generation": "int64",
    "worker": "string",
    "error": "string",
}
MIXED = [waiting(0), complete(1, 0.5), failed(2), complete(3, 0.25, accuracy=1.0), waiting(4)]


@pytest.fixture
def files(tmp_path):
    return tmp_path / "trials.csv", tmp_path / "trials.parquet"


def ranked(rows, metric="mse") -> list[tuple[int | None, int]]:
    frame = make_frame(rows, metric)
    ranks = [None if pd.isna(rank) else int(rank) for rank in frame["rank"]]
    return list(zip(ranks, frame["number"].tolist()))


def test_the_columns_in_their_order() -> None:
    assert tuple(DTYPES) == columns(SPEC)
    assert set(UNREPEATABLE) == {"duration_s", "worker"}


@pytest.mark.parametrize("rows", [[], [waiting(0)], [failed(0)], [complete(0, 0.5)], MIXED])
def test_columns_and_types_do_not_depend_on_what_is_there(rows) -> None:
    frame = make_frame(rows)
    assert list(frame.columns) == list(DTYPES)
    assert {name: frame[name].dtype == dtype for name, dtype in DTYPES.items()} == dict.fromkeys(
        DTYPES, True
    )
    assert list(frame.index) == list(range(len(rows)))


def test_trials_are_ranked_by_final_loss() -> None:
    assert ranked([complete(0, 0.3), complete(1, 0.1), complete(2, 0.2)]) == [
        (1, 1),
        (2, 2),
        (3, 0),
    ]


def test_ties_go_to_fewer_epochs_and_then_to_the_lower_number() -> None:
    rows = [
        complete(0, 0.2, epochs=5),
        complete(1, 0.1, epochs=30),
        complete(2, 0.1, epochs=20),
        complete(3, 0.1, epochs=20),
    ]
    expected = [(1, 2), (2, 3), (3, 1), (4, 0)]
    assert ranked(rows) == expected
    assert ranked(rows[::-1]) == expected


def test_the_rest_stand_behind_by_number_without_a_rank() -> None:
    rows = [failed(5, "PRUNED"), *MIXED[::-1]]
    assert ranked(rows) == [(1, 3), (2, 1), (None, 0), (None, 2), (None, 4), (None, 5)]


def test_bce_ranks_by_bce() -> None:
    rows = [complete(0, 0.1, bce=0.9), complete(1, 0.2, bce=0.8), complete(2, 0.3, bce=0.7)]
    assert ranked(rows, "mse") == [(1, 0), (2, 1), (3, 2)]
    assert ranked(rows, "bce") == [(1, 2), (2, 1), (3, 0)]
    frame = make_frame(rows, "bce")
    assert frame["final_loss"].tolist() == frame["bce"].tolist() == [0.7, 0.8, 0.9]
    assert frame["mse"].tolist() == [0.3, 0.2, 0.1]


def test_a_row_says_what_the_trial_was() -> None:
    frame = make_frame(renumbered([complete(5, 0.25, accuracy=1.0, loss_fn="bce")]))
    assert frame.iloc[0].drop("error").to_dict() == {
        "rank": 1,
        "number": 0,
        "state": "COMPLETE",
        "lr": 0.1,
        "epochs": 10,
        "seed": 7,
        "loss_fn": "bce",
        "final_loss": 0.25,
        "train_loss": 0.5,
        "mse": 0.25,
        "bce": 1.0,
        "accuracy": 1.0,
        "solved": True,
        "duration_s": 0.5,
        "generation": 1,
        "worker": "host:1",
    }


def test_trials_that_are_not_complete_have_no_numbers() -> None:
    frame = make_frame(MIXED).set_index("number")
    measured = ["rank", "final_loss", "train_loss", "mse", "bce", "accuracy", "solved"]
    for number, state in ((0, "WAITING"), (2, "FAIL"), (4, "WAITING")):
        assert frame.loc[number, "state"] == state
        assert frame.loc[number, measured].isna().all()
    assert frame.loc[2, "error"] == "it | broke"


def test_only_accuracy_1_is_solved() -> None:
    rows = [complete(0, 0.1, accuracy=1.0), complete(1, 0.2, accuracy=0.75), failed(2)]
    assert make_frame(rows)["solved"].tolist() == [True, False, pd.NA]


@settings(max_examples=40, deadline=None)
@given(ledgers(), st.sampled_from(["mse", "bce"]))
def test_the_ranking_is_total(rows, metric) -> None:
    frame = make_frame(rows, metric)
    first = frame[frame["state"] == "COMPLETE"]
    keys = list(zip(first["final_loss"], first["epochs"], first["number"]))
    assert keys == sorted(keys)
    assert first["rank"].tolist() == list(range(1, len(first) + 1))
    assert frame["rank"][len(first) :].isna().all()
    pd.testing.assert_frame_equal(frame, make_frame(rows[::-1], metric), check_exact=True)


@settings(max_examples=40, deadline=None)
@given(ledgers())
def test_files_keep_every_bit(tmp_path_factory, rows) -> None:
    folder = tmp_path_factory.getbasetemp()
    csv, parquet = folder / "trials.csv", folder / "trials.parquet"
    frame = make_frame(rows)
    write_tables(frame, csv, parquet)
    text = csv.read_bytes().decode()
    assert read_csv(text, frame) == on_one_line(plain_rows(frame))
    pd.testing.assert_frame_equal(pd.read_parquet(parquet), frame, check_exact=True)


def test_files_are_replaced_and_nothing_else_is_left(files, tmp_path) -> None:
    csv, parquet = files
    write_tables(make_frame(MIXED), csv, parquet)
    write_tables(make_frame(MIXED[:2]), csv, parquet)
    assert len(csv.read_text().splitlines()) == 1 + 2
    assert len(pd.read_parquet(parquet)) == 2
    assert sorted(tmp_path.iterdir()) == [csv, parquet]


def test_a_table_that_cannot_be_written_leaves_the_old_one(files) -> None:
    csv, parquet = files
    write_tables(make_frame(MIXED), csv, parquet)
    before = csv.read_bytes(), parquet.read_bytes()
    broken = pd.DataFrame({"a": ["text", 1]})
    with pytest.raises(Exception, match="column a"):
        write_tables(broken, csv.with_name("other.csv"), parquet)
    assert (csv.read_bytes(), parquet.read_bytes()) == before


def test_a_curve() -> None:
    frame = curve_frame(make_curve((0, 500, 600), (0.5, math.inf, 0.25), (0.5, 1e-300, math.nan)))
    assert frame.dtypes.astype(str).to_dict() == {
        "epoch": "int64",
        "training": "float64",
        "validation": "float64",
    }
    assert frame["epoch"].tolist() == [0, 500, 600]
    assert frame["training"].tolist() == [0.5, math.inf, 0.25]
    assert frame["validation"].tolist()[:2] == [0.5, 1e-300]
    assert math.isnan(frame["validation"][2])


def test_an_empty_curve() -> None:
    frame = curve_frame(make_curve((), (), ()))
    assert list(frame.columns) == ["epoch", "training", "validation"]
    assert frame.empty


FORESTS = (
    ((3, 0.5, True, 8, 0.5, "all"), (0.25, 0.5, 11.0)),
    ((2, None, False, 32, 1, 0.5), (0.75, 0.75, 10.0)),
    ((2**60 + 1, 0.25, None, 16, 1, None), None),
    ((2, 0.5, True, 8, 1, "sqrt"), (0.25, 0.5, 12.0)),
)


def test_any_spec_has_its_columns_ranks_and_values() -> None:
    frame = trials_frame(make_table_of(FOREST, FORESTS))
    assert tuple(frame.columns) == columns(FOREST)
    named = ["rank", "number", *FOREST.names, "final_loss", *FOREST.metric_names, "solved"]
    assert [list(row.values()) for row in plain_rows(frame[named])] == [
        [1, 1, 2, None, False, 32, 1.0, "0.5", 0.75, 0.75, 0.75, 10.0, True],
        [2, 3, 2, 0.5, True, 8, 1.0, "sqrt", 0.25, 0.25, 0.5, 12.0, False],
        [3, 0, 3, 0.5, True, 8, 0.5, "all", 0.25, 0.25, 0.5, 11.0, False],
        [None, 2, 2**60 + 1, 0.25, None, 16, 1.0, None, None, None, None, None, None],
    ]


def test_a_column_s_type_is_the_parameter_s() -> None:
    frame = trials_frame(make_table_of(FOREST, FORESTS))
    assert {name: str(frame[name].dtype) for name in FOREST.names} == {
        "depth": "int64", "momentum": "float64", "bootstrap": "boolean", "width": "int64",
        "shrink": "float64", "features": "string",
    }  # fmt: skip


def test_integers_that_do_not_apply_are_missing_and_keep_every_digit() -> None:
    rows = [((None, 0.5, True, None, 1, "all"), None), ((2**60 + 1, 0.5, True, 8, 1, "all"), None)]
    frame = trials_frame(make_table_of(FOREST, rows))
    assert (str(frame["depth"].dtype), str(frame["width"].dtype)) == ("Int64", "Int64")
    assert frame["depth"].tolist() == [pd.NA, 2**60 + 1]
    assert frame["width"].tolist() == [pd.NA, 8]


def test_a_spec_without_a_goal_has_no_column_of_it() -> None:
    frame = trials_frame(make_table_of(PLAIN, [((0.5,), (1.0, 2.0)), ((0.25,), (3.0, 0.5))]))
    assert "solved" not in frame.columns
    assert frame["final_loss"].tolist() == frame["z"].tolist() == [0.5, 2.0]


def test_a_goal_for_a_loss_is_reached_from_above() -> None:
    spec = replace(PLAIN, solved=Goal("z", 0.5))
    rows = [((0.1,), (9.0, 0.75)), ((0.2,), (9.0, 0.5)), ((0.3,), (9.0, 0.25)), ((0.4,), None)]
    frame = trials_frame(make_table_of(spec, rows)).sort_values("number")
    assert frame["solved"].tolist() == [False, True, True, pd.NA]


RUNGS = rung_settings(3).spec


def rungs_table() -> TrialTable:
    """A pruned trial, two complete ones, a failed one, and one that waits."""
    table = TrialTable(RUNGS)
    failed = FinishedTrial(trial_of(RUNGS, 3), make_outcome("FAIL"))
    for number in range(5):
        table.add(trial_of(RUNGS, number))
    for trial, outcome in (
        pruned(RUNGS, 0),
        complete_one(RUNGS, 1, 3),
        complete_one(RUNGS, 2, 3),
        failed,
    ):
        table.finish(trial.number, outcome)
    return table


def test_a_pruned_trial_has_its_epoch_and_loss_and_no_final_loss() -> None:
    frame = trials_frame(rungs_table())
    assert "seed" not in frame.columns
    added = ["final_loss_std", "replicates", "solved_share", "pruned_epoch", "pruned_loss"]
    assert [name for name in frame.columns if name in added] == added
    named = ["rank", "number", "state", "final_loss", "solved", "replicates", *added[-2:]]
    assert [list(row.values()) for row in plain_rows(frame[named])] == [
        [1, 1, "COMPLETE", 0.25, False, 3, None, None],
        [2, 2, "COMPLETE", 0.25, False, 3, None, None],
        [None, 0, "PRUNED", None, None, None, 5, 0.75],
        [None, 3, "FAIL", None, None, None, None, None],
        [None, 4, "WAITING", None, None, None, None, None],
    ]
    assert (str(frame["pruned_epoch"].dtype), str(frame["replicates"].dtype)) == ("Int64", "Int64")


def test_files_keep_pruned_trials(files) -> None:
    csv, parquet = files
    frame = trials_frame(rungs_table())
    write_tables(frame, csv, parquet)
    assert read_csv(csv.read_text(), frame) == plain_rows(frame)
    pd.testing.assert_frame_equal(pd.read_parquet(parquet), frame, check_exact=True)


def test_files_keep_the_values_of_any_spec(files) -> None:
    csv, parquet = files
    frame = trials_frame(make_table_of(FOREST, FORESTS))
    write_tables(frame, csv, parquet)
    assert read_csv(csv.read_text(), frame) == plain_rows(frame)
    pd.testing.assert_frame_equal(pd.read_parquet(parquet), frame, check_exact=True)


def test_a_curve_has_the_series_of_its_problem() -> None:
    frame = curve_frame(Curve((0, 5), {"reward": (1.0, math.nan)}))
    assert frame.to_dict("list")["epoch"] == [0, 5]
    assert list(frame.columns) == ["epoch", "reward"]
    assert frame["reward"][0] == 1.0
