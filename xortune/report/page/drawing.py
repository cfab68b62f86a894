"""A drawing together with its words."""

from __future__ import annotations

import re
from typing import NamedTuple

_WIDTH = re.compile(r"<svg\b[^>]*?\bwidth=\"([0-9.]+)\"")


class Drawing(NamedTuple):
    """An SVG made by xortune, and what a page says of it."""

    name: str  # of its place in a page, such as `network`
    title: str
    svg: str  # a complete `<svg>` element, without scripts and references to the outside
    words: str  # what it shows, in one or two sentences

    @property
    def width(self) -> str:
        """Its own width in pixels, `0` if it does not say."""
        found = _WIDTH.match(self.svg)
        return found[1] if found else "0"
