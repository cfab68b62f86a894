"""The columns of the leaderboard: their order, their texts, and what is shown at first."""

from tests.report.page.made import complete, failed, make_results, make_spec
from tests.report.specs import FOREST, make_table_of
from xortune.report import columns, trials_frame
from xortune.report.page.leaderboard import leaderboard

SPEC = make_spec()
ROWS = [
    ((0.125, "a", 2**60), complete(SPEC, 0.5, -2.0)),
    ((10.0, "b", 3), failed("lost", "there:2")),
    ((1e-5, "b", 4), complete(SPEC, 0.25, 3.0)),
]


def table(outcomes=ROWS, spec=SPEC):
    return {
        column.name: column for column in leaderboard(spec, make_results(spec, outcomes).trials)
    }


def test_what_a_trial_came_to_stands_before_what_was_tried():
    names = [*table()]
    assert names[:5] == ["rank", "number", "state", "final_loss", "gap"]
    assert names.index("height") < names.index("rate") < names.index("duration_s")
    assert sorted(names) == sorted(columns(SPEC))


def test_cells_are_those_of_a_terminal():
    found = table()
    assert [found["rate"].cell(row) for row in range(3)] == ["1e-05", "0.125", "10"]
    assert [found["final_loss"].cell(row) for row in range(3)] == ["2.500e-01", "5.000e-01", "-"]
    assert [found["rank"].cell(row) for row in range(3)] == ["1", "2", "-"]


def test_a_state_is_shown_where_some_trial_is_not_complete():
    assert table()["state"].is_shown
    assert not table([ROWS[0], ROWS[2]])["state"].is_shown


def test_a_parameter_that_is_always_the_same_is_hidden_at_first():
    found = table([ROWS[1], ROWS[2]])
    assert not found["word"].is_shown
    assert found["rate"].is_shown


def test_a_number_that_javascript_would_round_travels_as_text():
    assert table()["seed"].packed()["values"] == ["4", str(2**60), "3"]
    assert table([ROWS[2]])["seed"].packed()["values"] == [4]


def test_every_text_travels_once():
    packed = table()["word"].packed()
    assert packed["texts"] == ["a", "b"]
    assert packed["values"] == [1, 0, 1]


def test_the_best_values_come_first_whichever_way_a_metric_is_better():
    found = table()
    assert found["height"].falls
    assert not found["gap"].falls


def test_booleans_and_missing_parameters_have_texts():
    row = ((4, None, True, 8, 0.5, "sqrt"), (0.1, 0.9, 5.0))
    frame = trials_frame(make_table_of(FOREST, [row]))
    found = {column.name: column for column in leaderboard(FOREST, frame)}
    assert [found[name].cell(0) for name in ("momentum", "bootstrap", "solved", "f1")] == [
        "-", "True", "yes", "90%",
    ]  # fmt: skip
