"""Texts and numbers as pictures show them."""

from __future__ import annotations

import math
from typing import Any

from xortune.escaping import visible

_LONGEST = 40  # characters of a name or a choice
# plotly reads `<b>` and entities in every text, takes `$x$` for a formula, and puts values in
# place of `%{x}` in what appears under the pointer.
_MARKUP = {ord(c): f"&#{ord(c)};" for c in "&<>$%"}


def brief(text: str, longest: int = _LONGEST) -> str:
    """One line of printable characters, cut after so many."""
    text = visible(text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def plain(text: str, longest: int = _LONGEST) -> str:
    """A text from outside for a plotly figure, which shows it as it is, without markup."""
    return brief(text, longest).translate(_MARKUP)


def is_missing(value: Any) -> bool:
    """Whether a cell of the table is empty: None, NaN, or pandas' own."""
    return value is None or type(value).__name__ == "NAType" or value != value


def shown(value: Any) -> str:
    """A parameter's value for the words of a picture; `none` where it does not apply."""
    if is_missing(value):
        return "none"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return brief(str(value))
    return number(value)


def number(value: float) -> str:
    """Three digits of a number: `0.0123`, `1,234`, `4.7e-09`."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}"
    if 1e3 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def percent(share: float) -> str:
    """A share from 0 to 1 as a percentage; only nothing is `0%`, and only all is `100%`."""
    if 0 < share < 0.01:
        return "under 1%"
    if 0.99 < share < 1:
        return "over 99%"
    return f"{100 * share:.0f}%"


def count(number: int, noun: str) -> str:
    """`1 trial`, `1,000 trials`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def listed(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
