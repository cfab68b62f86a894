"""Groups of trials: what is counted, and in what order they come."""

import statistics

import pytest

from tests.report.rows import complete, failed, make_frame, waiting
from tests.report.specs import FOREST, make_table_of
from xortune.problems.xor.spec import SPEC
from xortune.report import grouped, plain_rows, trials_frame
from xortune.report.wilson import wilson_interval
from xortune.space import load_space

SPACE = load_space({"lr": {"min": 0.01, "max": 10.0, "distribution": "log_uniform_values"}}, SPEC)


def forest(rows):
    space = load_space({"momentum": {"min": 0.0, "max": 1.0}}, FOREST)
    return trials_frame(make_table_of(FOREST, rows)), space


def test_a_group_has_its_counts_share_median_and_best():
    losses = {"mse": [0.3, 0.1, 0.2, 0.4], "bce": [0.05, 0.5]}
    rows = [
        complete(n, loss, loss_fn=name, accuracy=1.0 if loss < 0.25 else 0.5)
        for n, (name, loss) in enumerate((k, v) for k, vs in losses.items() for v in vs)
    ]
    found = plain_rows(grouped(make_frame([*rows, failed(6), waiting(7)]), SPACE, ["loss_fn"]))
    assert [row["loss_fn"] for row in found] == ["mse", "bce"]
    for row, trial in zip(found, (1, 4)):
        values = losses[row["loss_fn"]]
        solved = sum(value < 0.25 for value in values)
        low, high = wilson_interval(solved, len(values))
        assert row == {
            "loss_fn": row["loss_fn"],
            "trials": len(values) + (2 if row["loss_fn"] == "mse" else 0),  # the failed and waiting
            "complete": len(values),
            "solved_share": solved / len(values),
            "solved_low": low,
            "solved_high": high,
            "median": statistics.median(values),
            "best": min(values),
            "best_trial": trial,
        }


def test_a_maximised_objective_has_its_highest_first_and_the_mean_stands_without_a_goal():
    frame, space = forest(
        [((4, 0.5, True, 8, 1, "all"), (0.5, f1, n)) for n, f1 in enumerate((0.1, 0.3))]
        + [((4, 0.5, False, 8, 1, "all"), (0.5, 0.25, 10.0)), ((4, 0.5, None, 8, 1, "all"), None)]
    )
    found = plain_rows(grouped(frame, space, ["bootstrap"]))
    assert [row["bootstrap"] for row in found] == [False, True, None]
    assert [row["median"] for row in found] == [0.25, 0.2, None]
    assert [row["best"] for row in found] == [0.25, 0.3, None]
    assert [row["best_trial"] for row in found] == [2, 1, None]
    assert found[2]["complete"] == 0
    assert found[2]["solved_low"] is None


def test_many_numbers_become_ranges_on_the_scale_of_the_space():
    values = [0.01 * 10 ** (n / 10) for n in range(31)]
    frame = make_frame([complete(n, 1 / (n + 1)) for n in range(31)])
    frame["lr"] = values[::-1]  # the best trial has the highest
    found = grouped(frame, SPACE, ["lr"])
    assert found["lr"].tolist() == [
        "3 to 10", "1 to 3", "0.3 to 1", "0.1 to 0.3", "0.03 to 0.1", "0.01 to 0.03",
    ]  # fmt: skip
    assert found["trials"].sum() == 31
    # 10 ** 0.5 > 3, so each decade has five values below its 3.
    assert found["trials"].tolist() == [6, 5, 5, 5, 5, 5]


def test_several_columns_group_by_all_of_them_and_few_numbers_stay_as_they_are():
    rows = [complete(n, 0.1 * (n + 1), epochs=10 + n % 2, loss_fn=("mse", "bce")[n // 2 % 2])
            for n in range(8)]  # fmt: skip
    found = grouped(make_frame(rows), SPACE, ["loss_fn", "epochs"])
    assert list(zip(found["loss_fn"], found["epochs"], found["trials"])) == [
        ("mse", 10, 2), ("mse", 11, 2), ("bce", 10, 2), ("bce", 11, 2),
    ]  # fmt: skip
    assert str(found["epochs"].dtype) == "int64"


@pytest.mark.parametrize("name", ["final_loss", "rank", "duration_s", "generation", "number"])
def test_any_column_can_be_grouped_by_and_every_trial_is_in_one_group(name):
    rows = [complete(n, 1e-9 * 10 ** (n / 3)) for n in range(30)]
    found = grouped(make_frame([*rows, failed(30)]), SPACE, [name])
    assert len(found) <= 9
    assert found["trials"].sum() == 31
    assert found["complete"].sum() == 30


def test_a_parameter_named_like_a_number_of_groups_keeps_its_name():
    frame = make_frame([complete(n, 0.1 + n) for n in range(2)])
    found = grouped(frame.assign(best=["x", "y"]), SPACE, ["best"])
    assert found["best"].tolist() == ["x", "y"]
    assert found["group_best"].tolist() == [0.1, 1.1]
