"""The lines below a table, which say what to use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.make import SPEC
from tests.report.specs import PLAIN, WIDE
from tests.report.test_confirmed import entry
from xortune.cli.recommendation import edge_lines, trial_lines, use_lines
from xortune.report import facts

PARAMS = {"lr": 4.8, "epochs": 1900, "loss_fn": "bce"}
LR = {"parameter": "lr", "value": 10.0, "end": "upper"}
EPOCHS = {"parameter": "epochs", "value": 10_000, "end": "upper"}


def summary(*entries, spec=SPEC, recommended=17, first=41, **more):
    """The summary of a study with a confirmation."""
    used = next((e for e in entries if e["number"] == recommended), None)
    return {
        "confirmation": {"of": len(entries), "aggregate": "mean", "trials": entries},
        "recommended": used
        and {"number": recommended, "rank": 6, "params": PARAMS, **facts(spec, used)},
        "first": first,
        **more,
    }


def test_the_trial_to_use_to_the_character():
    said = summary(
        entry(17, 0.0102, std=0.043, solved=241), entry(41, 0.051, solved=189), edges=[LR]
    )
    assert use_lines(said, SPEC) == [
        "use trial 17: lr 4.8, epochs 1900, loss_fn bce",
        "  mean mse 0.0102, std 0.043, on 256 fresh seeds; solves 94% (91% to 96%)",
        "  rank 1, trial 41: mean mse 0.051, solves 74% (68% to 79%)",
        "  lr 10 is the upper end of its range: widen it",
    ]


def test_the_first_rank_is_not_named_twice():
    assert len(use_lines(summary(entry(17), entry(41), first=17), SPEC)) == 2
    assert len(use_lines(summary(entry(17), first=41), SPEC)) == 2


def test_fewer_seeds_of_the_first_rank_are_said():
    said = summary(entry(17), entry(41, 0.051, seeds=64, solved=47))
    assert use_lines(said, SPEC)[2] == (
        "  rank 1, trial 41: mean mse 0.051 on 64 seeds, solves 73% (62% to 83%)"
    )


def test_diverged_trainings_are_counted():
    said = summary(entry(17, failed=0), entry(41, None, std=None, failed=3, solved=200))
    assert use_lines(said, SPEC)[2] == (
        "  rank 1, trial 41: mean mse infinite (3 failed), solves 78% (73% to 83%)"
    )


def test_a_problem_without_a_goal_has_mean_and_spread():
    name = PLAIN.objectives[0].metric
    lines = use_lines(summary(entry(17, solved=None), spec=PLAIN), PLAIN)
    assert lines[1:] == [f"  mean {name} 0.01, std 0.04, on 256 fresh seeds"]


@pytest.mark.parametrize(("aggregate", "word"), [("median", "median"), ("max", "worst")])
def test_the_word_for_the_aggregate(aggregate, word):
    lines = trial_lines("trial 1", PARAMS, facts(SPEC, entry(1)), SPEC, aggregate)
    assert lines[1].startswith(f"  {word} mse 0.01, ")


def test_nothing_is_recommended_where_no_trial_passed():
    assert use_lines(summary(entry(41, None, failed=4), recommended=None), SPEC) == [
        "nothing to recommend: of 1 confirmed, those that came out best failed on some seeds"
    ]


def test_without_a_confirmation_the_ends_are_those_of_the_best_trial():
    lower = {"parameter": "width", "value": 8, "end": "lower"}
    assert use_lines({"edges": [LR]}, SPEC) == [
        "the best trial: lr 10 is the upper end of its range: widen it"
    ]
    assert use_lines({"edges": [LR, lower]}, SPEC)[1].index("lr 10") == 16
    assert use_lines({}, SPEC) == []


def test_several_ends_are_one_sentence_for_each_side():
    assert edge_lines([LR, EPOCHS]) == [
        "lr 10 and epochs 10,000 are the upper ends of their ranges: widen them"
    ]


@pytest.mark.parametrize(
    ("solved", "seeds", "text"),
    [
        (0, 10_000, "solves 0% (0% to below 0.1%)"),
        (1, 10_000, "solves below 0.1% (below 0.1% to 0.1%)"),
        (9_999, 10_000, "solves above 99.9% (99.9% to above 99.9%)"),
        (10_000, 10_000, "solves 100% (above 99.9% to 100%)"),
        (255, 256, "solves 99.6% (98% to 99.9%)"),
    ],
)
def test_all_and_none_are_said_only_of_all_and_none(solved, seeds, text):
    numbers = facts(SPEC, entry(1, solved=solved, seeds=seeds))
    lines = trial_lines("trial 1", PARAMS, numbers, SPEC, "mean")[1:]
    assert " ".join(map(str.strip, lines)).endswith(text)


def test_a_table_gets_the_test_score_of_its_recommended_trial():
    test = {"number": 17, "validation": {"r2": 0.5}, "scores": {"r2": 0.25}}
    lines = use_lines(summary(entry(17, solved=None), spec=PLAIN, test_of_recommended=test), PLAIN)
    assert lines[-3:] == ["trial 17        r2", "  validation   0.5", "  test        0.25"]


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=12, max_size=12),
    st.integers(0, 10**7),
    st.floats(1e-300, 1e300),
)
def test_no_line_is_wider_than_eighty_characters(values, number, value):
    params = dict(zip(WIDE.names, values))
    numbers = facts(WIDE, entry(number, value, std=value, failed=99, solved=None))
    lines = trial_lines(f"use trial {number}", params, numbers, WIDE, "median")
    assert max(map(len, lines)) <= 80
    words = " ".join(lines)
    assert all(name in words for name in params)
