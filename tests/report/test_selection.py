"""Trials as a user asks for them: conditions on a real table, orders and columns."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.rows import complete, failed, make_frame, waiting
from tests.report.specs import FOREST, make_table_of
from xortune.errors import UsageError
from xortune.report import column_names, columns, sort, trials_frame, where
from xortune.report.selection import values_of
from xortune.wording import for_the_shell

FRAME = make_frame(
    [
        complete(0, 0.3, epochs=20),
        complete(1, 0.1, loss_fn="bce", accuracy=1.0),
        failed(2, error="loss is not finite"),
        complete(3, 0.2, epochs=30, loss_fn="bce"),
        waiting(4),
    ]
)


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        ("final_loss < 0.25", [1, 3]),
        ("0.1 < final_loss <= 0.3", [3, 0]),
        ("loss_fn == 'bce' and not solved", [3]),
        ("solved", [1]),
        ("not solved", [3, 0]),
        ("solved is null", [2, 4]),
        ("rank is not null and epochs >= 20", [3, 0]),
        ("state in ('FAIL', 'WAITING')", [2, 4]),
        ("state != 'COMPLETE'", [2, 4]),
        ("error contains 'NOT FINITE'", [2]),
        ("number == 3 or trial == 4", [3, 4]),
        ("train_loss > final_loss", [1, 3, 0]),
        ("duration_s > 100", []),
    ],
)
def test_a_condition_chooses_trials_and_keeps_their_order(condition, numbers):
    assert where(FRAME, condition)["number"].tolist() == numbers


def test_a_table_has_numbers_texts_and_truth_values_of_every_dtype():
    rows = [((4, None, True, 8, 1, "all"), (0.5, 0.25, 10.0)),
            ((5, 0.5, None, 16, 0.5, 0.5), None)]  # fmt: skip
    frame = trials_frame(make_table_of(FOREST, rows))
    for condition, numbers in {
        "momentum is null": [0], "bootstrap": [0], "bootstrap is null": [1],
        "width in (8, 32)": [0], "shrink < 1": [1], "features == '0.5'": [1],
        "nodes == 10 and f1 < 1": [0], "nodes != 10": [],
    }.items():  # fmt: skip
        assert where(frame, condition)["number"].tolist() == numbers, condition
    assert [values_of(frame[name]) for name in ("momentum", "bootstrap", "f1")] == [
        [None, 0.5],
        [True, None],
        [0.25, None],
    ]


@given(st.permutations(range(5)), st.sampled_from(columns(FOREST)), st.booleans())
@settings(max_examples=40, deadline=None)
def test_rows_are_sorted_as_python_sorts_them_with_empty_cells_last(order, name, descending):
    scores = {n: None if n == 3 else (n % 2, 0.5, n) for n in order}
    rows = [((n, None if n == 2 else n / 7, n > 1, 8, 1, "all"), scores[n]) for n in order]
    frame = trials_frame(make_table_of(FOREST, rows))
    found = values_of(sort(frame, f"{name}:desc" if descending else name)["number"])
    keys = dict(zip(values_of(frame["number"]), values_of(frame[name])))
    known = [number for number in keys if keys[number] is not None]
    expected = sorted(known, key=keys.__getitem__, reverse=descending)
    if descending:  # Equal ones keep their order, which `reverse` of Python's sort does, too.
        assert [keys[n] for n in expected] == sorted((keys[n] for n in known), reverse=True)
    assert found == [*expected, *(number for number in keys if keys[number] is None)]


def test_further_columns_order_what_is_equal_before():
    assert sort(FRAME, "loss_fn:desc, final_loss:desc")["number"].tolist() == [0, 2, 4, 3, 1]
    assert sort(FRAME, "trial:desc")["number"].tolist() == [4, 3, 2, 1, 0]


def test_all_unknown_columns_are_named_with_the_closest():
    with for_the_shell(), pytest.raises(UsageError) as error:
        sort(FRAME, "lr, epohcs:desc, lr:down, Final_Loss")
    assert str(error.value).splitlines() == [
        "--sort lr:down: sorts by asc or desc.",
        "--sort: there is no column 'epohcs'. Did you mean epochs?",
        "--sort: there is no column 'Final_Loss'. Did you mean final_loss?",
    ]
    with pytest.raises(UsageError, match="by: there is no column ''. Columns: rank, number,"):
        column_names(FRAME, "lr,", "by")
    assert column_names(FRAME, "trial, lr,lr,number", "columns") == ["number", "lr"]
