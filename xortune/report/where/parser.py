"""Parses a condition by recursive descent.

condition   any ["or" any]...
any         one ["and" one]...
one         "not" one | "(" condition ")" | comparison
comparison  operand [("==" | "!=" | "<" | "<=" | ">" | ">=") operand]...
          | column ["not"] "in" "(" literal ["," literal]... ")"
          | column ["not"] "contains" text
          | column "is" ["not"] "null"
"""

from __future__ import annotations

from typing import NoReturn

from xortune.report.where.tokens import Fault, Token, refusal, tokens
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

DEEPEST = 50  # conditions within each other
_OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
_NO_NULL = "null equals nothing, not even null. Write: is null, or is not null."


def parse_condition(text: str) -> Condition:
    """The tree of a condition.

    Raises:
        UsageError: it is not one; the message marks the place.

    Example:
        parse_condition("0.1 < rate < 1 and kind in ('a', 'b') and not solved")
    """
    parser = _Parser(text)
    condition = parser.condition(0)
    parser.expect_end()
    return condition


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._next = 0

    def condition(self, depth: int) -> Condition:
        parts = [self._any(depth)]
        while self._took("word", "or"):
            parts.append(self._any(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _any(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._took("word", "and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self, depth: int) -> Condition:
        if depth > DEEPEST:
            self._refuse(f"conditions stand within each other more than {DEEPEST} deep.")
        if self._took("word", "not"):
            return Not(self._one(depth + 1))
        if self._took("sign", "("):
            inner = self.condition(depth + 1)
            self._expect("sign", ")", "a ) is missing here.")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        first = self._operand()
        negated = self._follows(1, "in", "contains") and self._took("word", "not")
        if self._follows(0, "in", "contains", "is"):
            return self._on_a_column(first, negated)
        operands, operators = [first], []
        while self._peek().kind == "sign" and self._peek().text in _OPERATORS:
            operators.append(self._take())
            operands.append(self._operand())
        if not operators:
            if isinstance(first, Literal) and not isinstance(first.value, bool):
                self._refuse("a condition compares: an operator such as == is missing here.")
            return Truth(first)
        return Comparison(
            tuple(operands), tuple(o.text for o in operators), tuple(o.at for o in operators)
        )

    def _on_a_column(self, column: Operand, negated: bool) -> Condition:
        word = self._take()
        if not isinstance(column, Column):
            self._refuse(f"{word.text} stands behind the name of a column.", word.at)
        if word.text == "is":
            negated = self._took("word", "not")
            self._expect(
                "word", "null", "is stands before null or not null. Compare values with ==."
            )
            return IsNull(column, negated)
        if word.text == "contains":
            part = self._literal()
            if not isinstance(part.value, str):
                self._refuse("contains is followed by a text in quotes.", part.at)
            return Contains(column, part, negated)
        self._expect("sign", "(", "in is followed by values in parentheses: in (1, 2).")
        values = [self._literal()]
        while self._took("sign", ","):
            values.append(self._literal())
        self._expect("sign", ")", "a ) is missing here.")
        return Among(column, tuple(values), negated)

    def _operand(self) -> Operand:
        if self._peek().kind == "name":
            token = self._take()
            return Column(token.text, token.at)
        return self._literal("a column, a number or a text in quotes is missing here.")

    def _literal(self, missing: str = "a number or a text in quotes is missing here.") -> Literal:
        token = self._peek()
        if token.kind == "word" and token.text in ("true", "false"):
            self._next += 1
            return Literal(token.text == "true", token.at)
        if token.kind not in ("number", "text"):
            self._refuse(_NO_NULL if token.text == "null" else missing)
        self._next += 1
        return Literal(token.value, token.at)

    def expect_end(self) -> None:
        token = self._peek()
        if token.kind == "end":
            return
        if (token.kind, token.text) == ("sign", ")"):
            self._refuse("there is no ( before this ).")
        if token.kind == "sign" and token.text in _OPERATORS:
            self._refuse("parentheses hold conditions, which cannot be compared.")
        if token.kind == "number" and token.text[0] in "+-":
            self._refuse("conditions compare, and do not calculate.")
        self._refuse("the word and, or the word or, is missing here.")

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _follows(self, ahead: int, *words: str) -> bool:
        """Whether the next token, or one further ahead, is one of these words."""
        token = self._peek(ahead)
        return token.kind == "word" and token.text in words

    def _take(self) -> Token:
        token = self._peek()
        self._next += 1
        return token

    def _took(self, kind: str, text: str) -> bool:
        """Whether the next token is this one, which is then taken."""
        found = self._peek()[:2] == (kind, text)
        self._next += found
        return found

    def _expect(self, kind: str, text: str, reason: str) -> None:
        if not self._took(kind, text):
            self._refuse(reason)

    def _refuse(self, reason: str, at: int | None = None) -> NoReturn:
        place = self._peek().at if at is None else at
        raise refusal(self._text, [Fault(place, reason)])
