"""Conditions: what they mean, what is refused and how, and that any text is one or the other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.where.conditions import CONDITIONS, KINDS, ROWS, outcome
from xortune.errors import UsageError
from xortune.report.where import check_condition, matches, parse_condition
from xortune.report.where.parser import DEEPEST
from xortune.report.where.tokens import LONGEST
from xortune.report.where.tree import And, Column, Comparison, Literal, Not, Or, Truth
from xortune.wording import for_the_shell


@given(CONDITIONS)
@settings(max_examples=100, deadline=None)
def test_the_text_of_a_condition_parses_to_the_same_condition(condition):
    parsed = parse_condition(str(condition))
    assert parsed == condition
    check_condition(str(condition), parsed, KINDS)


@given(CONDITIONS, ROWS)
@settings(max_examples=100, deadline=None)
def test_the_rows_that_match_are_those_of_a_plain_reading(condition, rows):
    columns = {name: [row[name] for row in rows] for name in KINDS}
    found = matches(condition, columns, len(rows))
    assert found == [outcome(condition, row) == 1 for row in rows]


WORDS = ("rate", "kind", "solved", "nothing", "'a'", '"', "'", "`", "1", "-1.5e3",
         "1e999", "==", "<", "=", "(", ")", ",", "and", "or", "not", "in", "is", "null", "true",
         "contains", "\n", "\0", "é", "٣", "+", "")  # fmt: skip


@given(st.text(max_size=30) | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_condition_or_is_refused_with_its_place_marked(text):
    try:
        condition = parse_condition(text)
        check_condition(text, condition, KINDS)
    except UsageError as error:
        _, excerpt, mark, *_ = str(error).split("\n")
        assert mark.strip() == "^"
        assert mark.index("^") <= len(excerpt)
    else:
        assert parse_condition(str(condition)) == condition


def test_and_binds_more_than_or_and_not_more_than_and():
    a, b, c = (Truth(Column(name)) for name in "abc")
    assert parse_condition("a or b and not c") == Or((a, And((b, Not(c)))))
    assert parse_condition("(a or b) and c") == And((Or((a, b)), c))
    assert parse_condition("a AND b And c") == And((a, b, c))


def test_a_chain_compares_each_two_that_stand_side_by_side():
    condition = parse_condition("1 < rate <= 2.5")
    assert condition == Comparison((Literal(1), Column("rate"), Literal(2.5)), ("<", "<="))
    assert matches(condition, {"rate": [1, 1.5, 2.5, 3, None]}, 5) == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_a_comparison_with_an_empty_cell_matches_neither_way():
    for text in ("rate == 1", "rate != 1", "rate in (1)", "rate not in (1)", "rate < 1"):
        for whole in (text, f"not {text}", f"not (not ({text}))"):
            assert matches(parse_condition(whole), {"rate": [None]}, 1) == [False]
    assert matches(parse_condition("rate == 1 or rate is null"), {"rate": [None]}, 1) == [True]


def test_whole_numbers_are_compared_exactly():
    column = {"seed": [2**53, 2**53 + 1]}
    assert matches(parse_condition(f"seed == {2**53 + 1}"), column, 2) == [False, True]


@pytest.mark.parametrize(
    ("text", "mark", "reason"),
    [
        ("kind > 3", "     ^", "kind is a text, and 3 is a number."),
        ("kind > 'a'", "     ^", "a text has no order: > compares numbers. Use == or !=."),
        ("rate == '1'", "     ^", "rate is a number, and '1' is a text."),
        ("rate = 1", "     ^", "= is not an operator. Did you mean ==?"),
        ("rate <> 1", "     ^", "<> is not an operator. Did you mean !=?"),
        ("solved && solved", "       ^", "&& is not an operator. Did you mean and?"),
        ("rate * 2 > 1", "     ^", "* is not an operator: conditions compare, and do not"),
        ("rate -1 > 1", "     ^", "conditions compare, and do not calculate."),
        ("rate 1 > 1", "     ^", "the word and, or the word or, is missing here."),
        ("rata > 1", "^", "there is no column rata. Did you mean rate?"),
        ("kind == blue", "        ^", "there is no column blue. A text stands in quotes."),
        ("rate == null", "        ^", "Write: is null, or is not null."),
        ("kind == 'a", "        ^", "the quote ' is not closed."),
        ("rate", "^", "rate is a number. Compare it, as in rate > 0.5."),
        ("rate > ", "       ^", "a column, a number or a text in quotes is missing here."),
        ("(rate > 1", "         ^", "a ) is missing here."),
        ("rate > 1)", "        ^", "there is no ( before this )."),
        ("(rate) > 1", "       ^", "parentheses hold conditions, which cannot be compared."),
        ("rate contains 'a'", "^", "rate is a number, and contains is for texts."),
        ("kind in ('a', 3)", "              ^", "kind is a text, and 3 is a number."),
        ("rate > 1e999", "       ^", "the number is too large."),
        ("rate > 1.2.3", "       ^", "this is neither a number nor a name."),
        ("rate is 3", "        ^", "is stands before null or not null."),
    ],
)
def test_a_fault_is_marked_and_has_its_reason(text, mark, reason):
    with for_the_shell(), pytest.raises(UsageError) as error:
        check_condition(text, parse_condition(text), KINDS)
    said, excerpt, marked = str(error.value).split("\n")[:3]
    assert said.startswith("--where: ")
    assert reason in said
    assert (excerpt, marked) == (f"  {text}", f"  {mark}")


def test_all_columns_that_do_not_exist_are_named_at_once():
    text = "rata > 1 and knid == 'a' and kind < 3"
    with pytest.raises(UsageError) as error:
        check_condition(text, parse_condition(text), KINDS)
    assert [line for line in str(error.value).split("\n") if line.startswith("where: ")] == [
        "where: there is no column rata. Did you mean rate?",
        "where: there is no column knid. Did you mean kind?",
        "where: kind is a text, and 3 is a number.",
    ]


def test_a_mark_in_a_long_condition_stands_below_its_place():
    text = "rate > 1 and " * 30 + "\t\x1b zz > 1" + " and rate > 1" * 30
    with pytest.raises(UsageError) as error:
        parse_condition(text)
    _, excerpt, mark = str(error.value).split("\n")
    assert len(excerpt) < 80
    assert (excerpt[:5], excerpt[-3:]) == ("  ...", "...")
    assert excerpt[mark.index("^") :].startswith(r"\x1b zz")


def test_depth_and_length_have_limits():
    for text in ("rate > " + "9" * 5000, "(" * 5000, "not " * 2400 + "solved", "x" * (LONGEST + 1)):
        with pytest.raises(UsageError, match="within each other|characters|too large"):
            parse_condition(text)
    deep = "not " * DEEPEST + "solved"
    assert matches(parse_condition(deep), {"solved": [True, False]}, 2) == [True, False]
    wide = " or ".join(["rate > 1"] * 700)
    assert matches(parse_condition(wide), {"rate": [2]}, 1) == [True]
