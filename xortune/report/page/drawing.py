"""A drawing together with its words."""

from __future__ import annotations

from typing import NamedTuple


class Drawing(NamedTuple):
    """An SVG made by xortune, and what a page says of it."""

    name: str  # of its place in a page, such as `network`
    title: str
    svg: str  # a complete `<svg>` element, without scripts and references to the outside
    words: str  # what it shows, in one or two sentences
