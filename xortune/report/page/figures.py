"""Figures as a page holds them: as JSON that is read when a figure comes into view."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xortune.escaping import json_text, visible
from xortune.report.plots import Picture, theme

_HEIGHT = 420  # pixels, of a figure that does not say


@dataclass(frozen=True)
class Figure:
    """A picture's place in a page."""

    name: str
    title: str
    words: str
    height: int  # pixels
    content: str  # JSON with `data` and `layout`, harmless in HTML
    plain: dict[str, Any]


def figures(pictures: Sequence[Picture]) -> list[Figure]:
    """The figures of a page, without their templates, which they share."""
    return [_figure(picture) for picture in pictures]


def templates_text() -> str:
    """The templates of both themes, as JSON."""
    both = {"light": theme.light, "dark": theme.dark}
    return json_text(json.dumps({name: one.to_plotly_json() for name, one in both.items()}))


def _figure(picture: Picture) -> Figure:
    from plotly.io.json import to_json_plotly

    plain = picture.figure.to_plotly_json()
    layout = {key: value for key, value in plain["layout"].items() if key != "template"}
    plain = {"data": plain["data"], "layout": layout}
    content = json_text(to_json_plotly(plain, engine="json"))
    height = int(layout.get("height") or _HEIGHT)
    return Figure(
        picture.name, visible(picture.title), visible(picture.words), height, content, plain
    )
