"""The tokens of a condition, and faults that mark their place in its text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from xortune.errors import UsageError
from xortune.escaping import visible
from xortune.report.where.tree import NAME, WORDS, Scalar
from xortune.wording import option

LONGEST = 10_000  # characters of a condition
_SHOWN = 60  # of them in a message
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])
    | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<quoted>`[^`]+`)
    | (?P<name>{NAME.pattern})
    | (?P<sign>==|!=|<=|>=|<|>|\(|\)|,)""",
    re.VERBOSE | re.ASCII,
)
# Names may hold letters of any alphabet.
_NAME = re.compile(NAME.pattern)
# What other languages write, and what it is here.
_MEANT = {
    "=": "==", "<>": "!=", "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not",
    "~": "contains",
}  # fmt: skip
_QUOTES = "'\"`"


class Token(NamedTuple):
    """A word of a condition."""

    kind: str  # name, word, number, text, sign, or end
    text: str  # in lower case if it is a word
    at: int
    value: Scalar = 0  # of a number or a text


class Fault(NamedTuple):
    """What is wrong with a condition, and at which character, from 0."""

    at: int
    reason: str


def refusal(text: str, faults: Sequence[Fault]) -> UsageError:
    """The error that names the faults of a condition, each below the place that it is about."""
    return UsageError(
        "\n".join(
            line
            for fault in sorted(faults)
            for line in (f"{option('where')}: {fault.reason}", *_marked(text, fault.at))
        )
    )


def _marked(text: str, at: int) -> tuple[str, str]:
    """The text around a place, on one line, and a mark below the place."""
    first = max(0, min(at - _SHOWN // 2, len(text) - _SHOWN))
    last = min(len(text), max(at, first + _SHOWN))
    before = ("..." if first else "") + _on_a_line(text[first:at])
    after = _on_a_line(text[at:last]) + ("..." if last < len(text) else "")
    return f"  {before}{after}", f"  {' ' * len(before)}^"


def _on_a_line(text: str) -> str:
    return visible(re.sub(r"\s", " ", text))


def tokens(text: str) -> list[Token]:
    """The tokens of a condition, the last of which is its end.

    Raises:
        UsageError: something is not a token.
    """
    if len(text) > LONGEST:
        raise UsageError(
            f"{option('where')}: the condition has {len(text)} characters, and may have {LONGEST}."
        )
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at) or _NAME.match(text, at)
        if match is None or text[at : at + 2] == "<>":
            raise refusal(text, [Fault(at, _unknown(text, at))])
        kind = match.lastgroup or "name"
        if kind == "name":
            match = _NAME.match(text, at) or match
        if kind != "space":
            found.append(_token(text, kind, match[0], at))
        at = match.end()
    return [*found, Token("end", "", len(text))]


def _token(text: str, kind: str, piece: str, at: int) -> Token:
    if kind == "text":
        quote = piece[0]
        return Token("text", piece, at, piece[1:-1].replace(quote * 2, quote))
    if kind == "number":
        return Token("number", piece, at, _number(text, piece, at))
    if kind == "quoted":
        return Token("name", piece[1:-1], at)
    if kind == "name" and piece.lower() in WORDS:
        return Token("word", piece.lower(), at)
    return Token(kind, piece, at)


def _number(text: str, piece: str, at: int) -> float | int:
    try:
        value = int(piece) if re.fullmatch(r"[-+]?\d+", piece) else float(piece)
    except ValueError:  # an int of more digits than Python reads
        value = math.inf
    if isinstance(value, float) and not math.isfinite(value):
        raise refusal(text, [Fault(at, "the number is too large.")])
    return value


def _unknown(text: str, at: int) -> str:
    """What is wrong where no token begins."""
    rest = text[at:]
    if rest[0] in _QUOTES:
        return f"the quote {rest[0]} is not closed."
    if meant := _MEANT.get(rest[:2]) or _MEANT.get(rest[0]):
        wrong = rest[:2] if rest[:2] in _MEANT else rest[0]
        return f"{wrong} is not an operator. Did you mean {meant}?"
    if rest[0] in "+-*/%^":
        return f"{rest[0]} is not an operator: conditions compare, and do not calculate."
    if rest[0].isdecimal() or rest[0] == ".":
        return "this is neither a number nor a name. A text stands in quotes."
    return "this character has no meaning. A text stands in quotes, such as 'a b'."
