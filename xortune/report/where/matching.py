"""Applies a condition to the columns of a table.

As in SQL there are three outcomes, true, false and None: a comparison with an empty cell is
neither true nor false, so the row matches neither the condition nor its opposite.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

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

Outcomes = list[bool | None]
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def matches(condition: Condition, columns: Mapping[str, Sequence[Any]], count: int) -> list[bool]:
    """Whether each row matches a condition that fits the table.

    Args:
        condition: the condition.
        columns: the values of every column by name, None for an empty cell; never NaN.
        count: the number of rows.
    """
    return [outcome is True for outcome in _Matching(columns, count).outcomes(condition)]


class _Matching:
    def __init__(self, columns: Mapping[str, Sequence[Any]], count: int) -> None:
        self._columns = columns
        self._count = count

    def outcomes(self, condition: Condition) -> Outcomes:
        """The outcome for each row."""
        match condition:
            case And(parts):
                return [*map(_all, zip(*map(self.outcomes, parts)))]
            case Or(parts):
                return [*map(_any, zip(*map(self.outcomes, parts)))]
            case Not(part):
                return [None if one is None else not one for one in self.outcomes(part)]
            case Truth(operand):
                return [*self._values(operand)]
            case IsNull(column, negated):
                return [(value is None) is not negated for value in self._values(column)]
            case Among(column, literals, negated):
                known = {literal.value for literal in literals}
                return self._where_known(column, lambda value: (value in known) is not negated)
            case Contains(column, part, negated):
                wanted = str(part.value).casefold()
                return self._where_known(
                    column, lambda value: (wanted in value.casefold()) is not negated
                )
            case Comparison(operands, operators):
                return self._compared(operands, operators)

    def _compared(self, operands: Sequence[Operand], operators: Sequence[str]) -> Outcomes:
        values = [self._values(operand) for operand in operands]
        pairs = [
            [
                None if a is None or b is None else _OPERATORS[sign](a, b)
                for a, b in zip(left, right)
            ]
            for left, sign, right in zip(values, operators, values[1:])
        ]
        return pairs[0] if len(pairs) == 1 else [*map(_all, zip(*pairs))]

    def _where_known(self, column: Column, test: Callable[[Any], bool]) -> Outcomes:
        return [None if value is None else test(value) for value in self._values(column)]

    def _values(self, operand: Operand) -> Sequence[Any]:
        if isinstance(operand, Literal):
            return [operand.value] * self._count
        return self._columns[operand.name]


def _all(outcomes: Iterable[bool | None]) -> bool | None:
    """False if one is false, else None if one is None."""
    found = {*outcomes}
    return False if False in found else None if None in found else True


def _any(outcomes: Iterable[bool | None]) -> bool | None:
    found = {*outcomes}
    return True if True in found else None if None in found else False
