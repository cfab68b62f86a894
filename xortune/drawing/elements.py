"""Elements of an SVG as text: escaped, with short numbers; and how wide a text is."""

from __future__ import annotations

import math
import unicodedata
from html import escape
from typing import NamedTuple

from xortune.escaping import visible

MINUS = "−"  # noqa: RUF001  # as wide as a plus, unlike a hyphen
_NARROW = frozenset("ijlt.,:;|'!()[] ")
_BROAD = frozenset("mwMW@%")


class Part(NamedTuple):
    """A drawing before it is made into an SVG of its own, or of several beside each other."""

    body: str
    width: float  # in pixels, as the height
    height: float
    title: str
    words: str  # what it shows, for people who cannot see it


def element(name: str, *children: str, **attributes: str | float | None) -> str:
    """An element; the children are elements or escaped text, `class_` is the attribute `class`."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(children)
    return f"<{name}{shown}>{content}</{name}>" if content else f"<{name}{shown}/>"


def literal(text: str, most: int = 200) -> str:
    """Text from anywhere as an element's content: shown as it is, and nothing else."""
    shown = visible(text)
    return escape(shown if len(shown) <= most else f"{shown[: most - 1]}…")


def label(
    x: float, y: float, text: str, class_: str = "d-ink", anchor: str = "middle", size: float = 14,
    **more: str | float,
) -> str:  # fmt: skip
    """A line of text, whose baseline begins, ends or is centred at a point."""
    if not text.replace(MINUS, "").replace("…", "").isascii():
        class_ += " d-other"  # of texts beyond ASCII
    return element(
        "text", literal(text), x=x, y=y, class_=class_, text_anchor=anchor, font_size=size, **more
    )


def hint(text: str) -> str:
    """What is shown while the pointer rests on an element."""
    return element("title", literal(text))


def short(value: float, digits: int = 4) -> str:
    """A number of a few digits, with a minus sign: `−5.123`."""  # noqa: RUF002
    return f"{value:.{digits}g}".replace("-", MINUS)


def coordinate(value: float) -> str:
    """A number of pixels to a hundredth."""
    if not math.isfinite(value):
        return "0"
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def width_of(text: str, size: float) -> float:
    """About as wide as a text is in a common sans serif, in pixels, rather too wide."""
    return 1.08 * size * sum(map(_em, visible(text)))


def fitting(text: str, size: float, most: float) -> str:
    """A text, cut where it would be wider than so many pixels."""
    shown = visible(text)
    if width_of(shown, size) <= most:
        return shown
    while shown and width_of(f"{shown}…", size) > most:
        shown = shown[:-1]
    return f"{shown.rstrip()}…"


def _em(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in _NARROW:
        return 0.32
    return 0.86 if character in _BROAD else 0.68 if character.isupper() else 0.56


def _attribute(value: str | float) -> str:
    return escape(value if isinstance(value, str) else coordinate(value))
