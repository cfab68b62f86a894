"""Whether a condition fits a table: its columns exist, and their kinds can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal as OneOf

from xortune.report.where.tokens import Fault, refusal
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
    Operand,
    Or,
    Truth,
)
from xortune.wording import did_you_mean

Kind = OneOf["number", "text", "truth value"]
_ORDERS = ("<", "<=", ">", ">=")
_EXAMPLES = {"number": "> 0.5", "text": "== 'a'", "truth value": "== true"}


def check_condition(text: str, condition: Condition, kinds: Mapping[str, Kind]) -> None:
    """Raises UsageError with all the faults of a condition, each with its place.

    Args:
        text: that of the condition.
        condition: its tree.
        kinds: of the table's columns, by name.
    """
    faults = [*_Check(kinds).faults(condition)]
    if faults:
        raise refusal(text, faults)


class _Check:
    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds

    def faults(self, condition: Condition) -> Iterable[Fault]:
        """The faults of a condition and of its parts."""
        match condition:
            case And(parts) | Or(parts):
                for part in parts:
                    yield from self.faults(part)
            case Not(part):
                yield from self.faults(part)
            case Comparison():
                yield from self._of_comparison(condition)
            case IsNull(column):
                yield from self._unknown(column)
            case Among(column, values):
                yield from self._unknown(column)
                for value in values:
                    yield from self._unlike(column, value, value.at)
            case Contains(column):
                yield from self._unknown(column)
                if self._kind(column) not in ("text", None):
                    reason = f"{column} is a {self._kind(column)}, and contains is for texts."
                    yield Fault(column.at, reason)
            case Truth(operand):
                yield from self._unknown(operand)
                if (kind := self._kind(operand)) not in ("truth value", None):
                    example = f"{operand} {_EXAMPLES[str(kind)]}"
                    yield Fault(operand.at, f"{operand} is a {kind}. Compare it, as in {example}.")

    def _of_comparison(self, comparison: Comparison) -> Iterable[Fault]:
        operands = comparison.operands
        for operand in operands:
            yield from self._unknown(operand)
        places = comparison.at or (0,) * len(comparison.operators)
        for left, sign, right, at in zip(operands, comparison.operators, operands[1:], places):
            if unlike := [*self._unlike(left, right, at)]:
                yield from unlike
            elif sign in _ORDERS and self._kind(left) not in ("number", None):
                kind = self._kind(left)
                yield Fault(at, f"a {kind} has no order: {sign} compares numbers. Use == or !=.")

    def _unlike(self, left: Operand, right: Operand, at: int) -> Iterable[Fault]:
        kinds = self._kind(left), self._kind(right)
        if None not in kinds and kinds[0] != kinds[1]:
            yield Fault(at, f"{left} is a {kinds[0]}, and {right} is a {kinds[1]}.")

    def _unknown(self, operand: Operand) -> Iterable[Fault]:
        if isinstance(operand, Column) and operand.name not in self._kinds:
            hint = did_you_mean(operand.name, self._kinds)
            others = f" A text stands in quotes. Columns: {', '.join(self._kinds)}."
            yield Fault(operand.at, f"there is no column {operand}.{hint or others}")

    def _kind(self, operand: Operand) -> Kind | None:
        """None for a column that does not exist."""
        if isinstance(operand, Column):
            return self._kinds.get(operand.name)
        return kind_of_value(operand)


def kind_of_value(literal: Literal) -> Kind:
    """The kind of a literal."""
    if isinstance(literal.value, bool):
        return "truth value"
    return "text" if isinstance(literal.value, str) else "number"
