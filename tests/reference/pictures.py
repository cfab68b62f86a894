"""Plots as SVG files for documents: plotly draws them in a headless Chromium."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from tests.browser import Tab, started
from xortune.report.plots import theme

THEMES = {"light": theme.light, "dark": theme.dark}
WIDTH = 760
_MANY = 20
_DRAW = """async ([figure, options]) => await Plotly.toImage(JSON.parse(figure), options)"""


@contextmanager
def artist() -> Iterator[Tab]:
    """A tab in which plotly is loaded."""
    with started() as chromium, chromium.tab() as tab:
        tab.page.set_content("<title>Plots</title>")
        tab.page.add_script_tag(content=get_plotlyjs())
        yield tab


def svg_of(tab: Tab, figure: go.Figure, look: str) -> str:
    """A figure in a theme, without a background, its places rounded to a tenth of a pixel.

    The same text whenever it is drawn.
    """
    figure.layout.template = THEMES[look]
    options = {"format": "svg", "width": WIDTH, "height": figure.layout.height}
    address = tab.page.evaluate(_DRAW, [figure.to_json(), options])
    svg = unquote(address.partition(",")[2])
    # Plotly draws a part of its names by chance.
    chance = re.findall(r"[ \"](?:defs-|topdefs-|clip|trace|legend|cb)([0-9a-f]{6})\b", svg)
    for number, name in enumerate(dict.fromkeys(chance)):
        svg = svg.replace(name, f"name{number}")
    return _with_shared_points(re.sub(r' (?:d|transform)="[^"]*"', _rounded, svg))


def _rounded(places: re.Match[str]) -> str:
    return re.sub(r"\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}", places[0])


def _with_shared_points(svg: str) -> str:
    """Points that look alike are drawn once, and used where they are."""
    point = r'<path class="point" (transform="[^"]*") (d="[^"]*" style="[^"]*")/>'
    looks = Counter(look for _, look in re.findall(point, svg))
    names = {look: f"p{i}" for i, look in enumerate(look for look in looks if looks[look] > _MANY)}
    defined = "".join(f'<path id="{name}" {look}/>' for look, name in names.items())
    svg = re.sub(
        point,
        lambda f: f'<use href="#{names[f[2]]}" {f[1]}/>' if f[2] in names else f[0],
        svg,
    )
    return re.sub(r"^<svg[^>]*>", lambda opened: f"{opened[0]}<defs>{defined}</defs>", svg)
