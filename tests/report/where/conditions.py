"""Made-up tables and conditions, and a plain reading of a condition for one row."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from xortune.report.where.tree import (
    Among,
    And,
    Column,
    Comparison,
    Condition,
    Contains,
    IsNull,
    Literal,
    Not,
    Or,
    Truth,
)

KINDS = {
    "rate": "number", "loss/validation": "number", "kind": "text", "not": "text",
    "solved": "truth value", "größe": "number",
}  # fmt: skip
NUMBERS = st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.sampled_from(("a", "A b", "it's", 'say "so"', "", "ß", "\n", "and")) | st.text(
    max_size=4
)
VALUES = {"number": NUMBERS, "text": TEXTS, "truth value": st.booleans()}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | VALUES[kind] for name, kind in KINDS.items()}),
    max_size=6,
)
_OF_KIND = {kind: [n for n, k in KINDS.items() if k == kind] for kind in VALUES}


def columns(kind: str) -> st.SearchStrategy[Column]:
    return st.sampled_from(_OF_KIND[kind]).map(Column)


def literals(kind: str) -> st.SearchStrategy[Literal]:
    return VALUES[kind].map(Literal)


@st.composite
def comparisons(draw) -> Comparison:
    kind = draw(st.sampled_from(("number", "number", "text", "truth value")))
    signs = ("==", "!=", "<", "<=", ">", ">=") if kind == "number" else ("==", "!=")
    operators = draw(st.lists(st.sampled_from(signs), min_size=1, max_size=3))
    operand = columns(kind) | literals(kind)
    return Comparison(tuple(draw(operand) for _ in range(len(operators) + 1)), tuple(operators))


@st.composite
def memberships(draw) -> Among:
    kind = draw(st.sampled_from((*VALUES,)))
    values = draw(st.lists(literals(kind), min_size=1, max_size=3))
    return Among(draw(columns(kind)), tuple(values), draw(st.booleans()))


def _several(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    lists = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return parts.map(Not) | lists.map(And) | lists.map(Or)


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    comparisons()
    | memberships()
    | st.builds(Contains, columns("text"), literals("text"), st.booleans())
    | st.builds(IsNull, st.sampled_from((*KINDS,)).map(Column), st.booleans())
    | (columns("truth value") | literals("truth value")).map(Truth),
    _several,
    max_leaves=8,
)  # fmt: skip


def outcome(condition: Condition, row: dict[str, Any]) -> float:
    """1 for true, 0 for false, and 0.5 for neither, of one row: Łukasiewicz's three values."""

    def value(operand: Any) -> Any:
        return row[operand.name] if isinstance(operand, Column) else operand.value

    def about(operands: list[Any], test: Any) -> float:
        return 0.5 if None in operands else float(test())

    if isinstance(condition, And):
        return min(outcome(part, row) for part in condition.parts)
    if isinstance(condition, Or):
        return max(outcome(part, row) for part in condition.parts)
    if isinstance(condition, Not):
        return 1 - outcome(condition.part, row)
    if isinstance(condition, Truth):
        return about([value(condition.operand)], lambda: value(condition.operand))
    if isinstance(condition, IsNull):
        return float((value(condition.column) is None) != condition.negated)
    if isinstance(condition, Among):
        one = value(condition.column)
        found = about([one], lambda: any(one == value(v) for v in condition.values))
        return 1 - found if condition.negated else found
    if isinstance(condition, Contains):
        one = value(condition.column)
        found = about([one], lambda: one.casefold().count(condition.part.value.casefold()) > 0)
        return 1 - found if condition.negated else found
    pairs = zip(condition.operands, condition.operators, condition.operands[1:])
    return min(_compared(value(a), sign, value(b)) for a, sign, b in pairs)


def _compared(a: Any, sign: str, b: Any) -> float:
    if a is None or b is None:
        return 0.5
    order = -1 if a < b else 1 if a > b else 0
    return float(
        {"==": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0,
         ">=": order >= 0}[sign]
    )  # fmt: skip
