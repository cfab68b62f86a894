"""What a confirmation says of a trial, and which parameters lie at an end of their range."""

import pytest

from tests.make import SPEC, make_outcome, make_params, make_table, make_trial
from tests.report.specs import PLAIN
from xortune.problems.table.spec import table_spec
from xortune.report import assignment, facts, summarise_findings, trials_frame
from xortune.report.confirmed import edges
from xortune.space import load_space
from xortune.spec import Parameter, ProblemSpec
from xortune.trial import TrialRow

SPACE = load_space("default", SPEC)


def entry(number=0, value=0.01, seeds=256, solved=240, **values):
    """An entry of the finding `confirmation`."""
    return {
        "number": number, "seeds": seeds, "value": value, "std": 0.04, "median": 0.0, "low": 0.0,
        "high": 0.25, "failed": 0, "solved": solved, "metrics": {}, **values,
    }  # fmt: skip


def test_the_numbers_of_a_confirmed_trial():
    found = facts(SPEC, entry())
    assert [*found] == [
        *("mse", "std", "seeds", "failed", "solved_share", "solved_low", "solved_high")
    ]
    assert found["solved_share"] == 240 / 256
    assert found["solved_low"] == pytest.approx(0.901, abs=1e-3)
    assert found["solved_high"] == pytest.approx(0.961, abs=1e-3)


def test_a_problem_without_a_goal_has_no_share():
    assert facts(PLAIN, entry(solved=None)) == {
        PLAIN.objectives[0].metric: 0.01, "std": 0.04, "seeds": 256, "failed": 0,
    }  # fmt: skip


def test_an_assignment_is_without_its_seed():
    assert assignment(SPEC, make_params(2.0, 50, seed=7)) == {
        "lr": 2.0, "epochs": 50, "loss_fn": "mse",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("params", "found"),
    [
        (make_params(1.0, 600), []),
        (make_params(10.0, 600), [("lr", 10.0, "upper")]),
        (make_params(0.01, 600), [("lr", 0.01, "lower")]),
        (make_params(10.0, 10_000), [("lr", 10.0, "upper"), ("epochs", 10_000, "upper")]),
        (make_params(9.999999, 500), [("epochs", 500, "lower")]),
        (make_params(1.0, 600, seed=9999), []),
    ],
)
def test_what_lies_at_an_end_is_found(params, found):
    assert [(e["parameter"], e["value"], e["end"]) for e in edges(SPACE, params)] == found


def test_an_end_that_training_cannot_pass_is_none():
    spec = table_spec("regression")
    space = load_space({"dropout": {"min": 0.0, "max": 0.5}, "depth": {"min": 0, "max": 2}}, spec)
    params = spec.assignment({"dropout": 0.0, "depth": 0})
    assert edges(space, params) == []
    params = spec.assignment({"dropout": 0.5, "depth": 2})
    assert {e["parameter"] for e in edges(space, params)} == {"depth", "dropout"}


def test_nobody_is_sent_below_zero():
    spec = ProblemSpec("mine", (Parameter("sigma", "float", 1.0, -9e9, 9e9),), PLAIN.metrics, "z",
                       PLAIN.objectives)  # fmt: skip
    for low, ends in ((0.0, []), (0.5, ["lower"]), (-1.0, ["lower"])):
        space = load_space({"sigma": {"min": low, "max": 2.0}}, spec)
        assert [end["end"] for end in edges(space, spec.assignment({"sigma": low}))] == ends
        assert [end["end"] for end in edges(space, spec.assignment({"sigma": 2.0}))] == ["upper"]


def test_a_single_value_and_a_choice_have_no_ends():
    space = load_space({"lr": {"value": 0.1}, "epochs": {"values": [50, 90]}}, SPEC)
    assert edges(space, make_params(0.1, 90)) == []


def test_the_end_of_a_grid_is_its_last_multiple():
    grid = {"distribution": "q_uniform", "min": 0.1, "max": 1.0, "q": 0.3}
    space = load_space({"lr": grid, "epochs": {"value": 5}}, SPEC)
    (end,) = edges(space, make_params(0.3 * 3, 5))
    assert (end["parameter"], end["end"]) == ("lr", "upper")


def a_frame(*values):
    trials = [make_trial(number, lr=lr) for number, lr in enumerate(values)]
    return trials_frame(make_table(TrialRow(trial, make_outcome()) for trial in trials))


def test_the_recommended_trial_has_its_parameters_rank_and_edges():
    confirmation = {"of": 2, "seeds": 256, "aggregate": "mean", "recommended": 1,
                    "trials": [entry(1), entry(0, value=0.2)]}  # fmt: skip
    found = summarise_findings({"confirmation": confirmation}, a_frame(10.0, 2.0), SPACE)
    assert found["recommended"]["number"] == 1
    assert found["recommended"]["params"]["lr"] == 2.0
    assert found["recommended"]["mse"] == 0.01
    assert found["confirmation"] == confirmation
    assert found["first"] in (0, 1)
    assert [e["parameter"] for e in found["edges"]] == ["epochs"]


def test_without_a_confirmation_the_edges_are_those_of_the_best_trial():
    found = summarise_findings({}, a_frame(10.0), SPACE)
    assert found.keys() == {"first", "edges"}
    assert [e["parameter"] for e in found["edges"]] == ["lr", "epochs"]


def test_where_no_trial_passed_none_is_recommended():
    confirmation = {"of": 1, "seeds": 8, "aggregate": "mean", "recommended": None,
                    "trials": [entry(0, value=None, failed=3)]}  # fmt: skip
    found = summarise_findings({"confirmation": confirmation}, a_frame(10.0), SPACE)
    assert found["recommended"] is None
    assert "edges" not in found


def test_a_study_without_trials_has_nothing_to_say():
    assert summarise_findings({}, trials_frame(make_table([])), SPACE) == {}


def test_other_findings_are_passed_on():
    stopped = {"by": "plateau", "after": 3, "reason": "2 trials without a better one"}
    found = summarise_findings({"stopped": stopped, "colour": 1}, a_frame(2.0), SPACE)
    assert found["stopped"] == stopped
    assert "colour" not in found
