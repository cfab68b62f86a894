"""The tree of a condition. Its text parses to the same tree again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Scalar = float | int | str | bool
# What a name cannot be unless it stands in backticks; in lower case.
WORDS = ("and", "or", "not", "in", "is", "null", "true", "false", "contains")
NAME = re.compile(r"[^\W\d]\w*(?:/[^\W\d]\w*)*")


@dataclass(frozen=True)
class Column:
    """A column by its name."""

    name: str
    at: int = field(default=0, compare=False)  # where it stands in the text, from 0

    def __str__(self) -> str:
        plain = NAME.fullmatch(self.name) and self.name.lower() not in WORDS
        return self.name if plain else f"`{self.name}`"


@dataclass(frozen=True)
class Literal:
    """A number, a text or a truth value."""

    value: Scalar
    at: int = field(default=0, compare=False)

    def __eq__(self, other: object) -> bool:
        """1, 1.0 and true are different literals, as 0.0 and -0.0 are."""
        return isinstance(other, Literal) and repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        return hash(repr(self.value))

    def __str__(self) -> str:
        if isinstance(self.value, str):
            return "'" + self.value.replace("'", "''") + "'"
        return str(self.value).lower() if isinstance(self.value, bool) else repr(self.value)


Operand = Column | Literal


@dataclass(frozen=True)
class Comparison:
    """Operands with an operator between each two: all of these comparisons have to hold."""

    operands: tuple[Operand, ...]  # one more than operators
    operators: tuple[str, ...]  # each one of == != < <= > >=
    at: tuple[int, ...] = field(default=(), compare=False)  # of the operators

    def __str__(self) -> str:
        rest = zip(self.operators, self.operands[1:])
        return " ".join([str(self.operands[0]), *(f"{sign} {one}" for sign, one in rest)])


@dataclass(frozen=True)
class Among:
    """A column that has one of several values."""

    column: Column
    values: tuple[Literal, ...]
    negated: bool = False

    def __str__(self) -> str:
        word = "not in" if self.negated else "in"
        return f"{self.column} {word} ({', '.join(map(str, self.values))})"


@dataclass(frozen=True)
class Contains:
    """A column of texts, each of which has a part, in upper or lower case."""

    column: Column
    part: Literal
    negated: bool = False

    def __str__(self) -> str:
        return f"{self.column} {'not ' if self.negated else ''}contains {self.part}"


@dataclass(frozen=True)
class IsNull:
    """A column whose cell is empty."""

    column: Column
    negated: bool = False

    def __str__(self) -> str:
        return f"{self.column} is {'not ' if self.negated else ''}null"


@dataclass(frozen=True)
class Truth:
    """A column of truth values, or a truth value, by itself."""

    operand: Operand

    def __str__(self) -> str:
        return str(self.operand)


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    part: Condition

    def __str__(self) -> str:
        return f"not {_grouped(self.part)}"


@dataclass(frozen=True)
class And:
    """Conditions that all hold."""

    parts: tuple[Condition, ...]  # two or more

    def __str__(self) -> str:
        return " and ".join(map(_grouped, self.parts))


@dataclass(frozen=True)
class Or:
    """Conditions of which one or more hold."""

    parts: tuple[Condition, ...]  # two or more

    def __str__(self) -> str:
        return " or ".join(map(_grouped, self.parts))


Condition = Comparison | Among | Contains | IsNull | Truth | Not | And | Or


def _grouped(part: Condition) -> str:
    return f"({part})" if isinstance(part, And | Or) else str(part)
