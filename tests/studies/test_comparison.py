"""Whether the objectives of studies can be compared, and what differs in their settings."""

import pytest

from tests.make import make_settings
from tests.report.rows import complete, failed, make_frame, waiting
from tests.report.specs import FOREST, make_table_of
from xortune.problems.xor.spec import SPEC
from xortune.report import course, trials_frame
from xortune.settings import StudySettings
from xortune.studies.comparison import incomparable

RECIPE = {"target_name": "y", "split": [60.0, 20.0, 20.0], "split_seed": 0, "rows": [6, 2, 2]}
XOR = make_settings(trials=4)


def of_a_table(digest="ab", data="wine.csv", **recipe) -> StudySettings:
    problem = {"kind": "table", "digest": digest, "recipe": {**RECIPE, **recipe}}
    return make_settings(data=data, problem=problem)


def of_a_function(digest="cd") -> StudySettings:
    return make_settings(data="", problem={"kind": "function", "digest": digest, "text": "x"})


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (XOR, make_settings(trials=9, sampler="random", study_seed=3), []),
        (XOR, make_settings("bce"), ["objective"]),
        (XOR, make_settings(data="lab"), ["data"]),
        (of_a_table(), of_a_table(data="renamed.csv"), []),
        (of_a_table(), of_a_table("other"), ["data"]),
        (of_a_table(), of_a_table(split_seed=1), ["rows"]),
        (of_a_table(), of_a_table(left_out=[["b", "dates"]]), []),
        (of_a_function(), of_a_function(), []),
        (of_a_function(), of_a_function("ef"), ["code"]),
        (XOR, of_a_table(), ["problem", "data", "rows"]),
    ],
)
def test_what_an_objective_depends_on_makes_studies_incomparable(first, second, found):
    assert incomparable([first, second]) == incomparable([second, first]) == found
    assert incomparable([first, first]) == []
    assert incomparable([first, first, second]) == found


def test_the_course_of_a_search_is_told_in_the_order_of_its_trials():
    rows = [complete(n, loss) for n, loss in enumerate((0.5, 0.3, 0.4, 0.1, 0.2))]
    found = course(make_frame([*rows, failed(5), waiting(6), waiting(7)]), SPEC, 8, 2)
    assert (found["trials"], found["finished"], found["complete"]) == (8, 6, 5)
    assert found["best"] == [{"number": 3, "value": 0.1}, {"number": 4, "value": 0.2}]
    assert found["median"] == 0.3
    # Of 8: the first, two, four; and not all of them are finished.
    assert found["best_so_far"] == [
        {"trials": 1, "value": 0.5},
        {"trials": 2, "value": 0.3},
        {"trials": 4, "value": 0.1},
        {"trials": 8, "value": None},
    ]


def test_a_study_without_a_complete_trial_has_a_course():
    found = course(make_frame([failed(0), waiting(1)]), SPEC, 10, 3)
    assert found["best"] == []
    assert found["median"] is found["solved_share"] is None
    assert [part["value"] for part in found["best_so_far"]] == [None] * 4
    nothing = course(make_frame([]), SPEC, 10, 3)
    assert (nothing["finished"], nothing["complete"]) == (0, 0)


def test_the_best_of_a_maximised_objective_is_the_highest():

    rows = [((4, 0.5, True, 8, 1, "all"), (0.5, f1, 1.0)) for f1 in (0.1, 0.4, 0.2)]
    found = course(trials_frame(make_table_of(FOREST, rows)), FOREST, 3, 1)
    assert found["best"] == [{"number": 1, "value": 0.4}]
    assert [part["value"] for part in found["best_so_far"]] == [0.1, 0.1, 0.4, 0.4]
