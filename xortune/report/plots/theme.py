"""The look of all figures: a template for light and one for dark surroundings.

A figure fixes no colour of its background, its text or its lines; a page changes all of them by
another template. The colours of data are the same in both. They are those of Okabe and Ito (Color
universal design, 2008) for people who see colours differently, shaded so that each has a contrast
of at least 3:1 to white and to black.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import plotly.graph_objects as go

BLUE, ORANGE, GREEN, PINK = "#2a84c6", "#d0661b", "#0f9a75", "#c267a0"
GREY = "#858b94"
COLOURS = (BLUE, ORANGE, GREEN, PINK, "#a8842c", "#7b74d6", GREY)
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


class _Surroundings(NamedTuple):
    text: str
    faint_text: str
    grid: str
    line: str
    label: str  # the background of what appears under the pointer
    # From the worst to the best.
    scale: tuple[str, ...]


_LIGHT = _Surroundings(
    text="#1d2129", faint_text="#545b67", grid="#e6e8ec", line="#b9bfc8", label="#ffffff",
    scale=("#e3e6ea", "#bcd3e4", "#7fb2d6", "#3d87bd", "#1f5c96", "#0e2f5c"),
)  # fmt: skip
_DARK = _Surroundings(
    text="#e8eaee", faint_text="#a9b0bb", grid="#2b3038", line="#4b525d", label="#22262d",
    scale=("#2a2f37", "#2c4a66", "#2d6c9c", "#4094cf", "#86c1ea", "#e2f2ff"),
)  # fmt: skip


def _template(around: _Surroundings) -> go.layout.Template:
    axis: dict[str, Any] = {
        "gridcolor": around.grid,
        "zerolinecolor": around.grid,
        "zerolinewidth": 1,
        "linecolor": around.line,
        "tickcolor": around.line,
        "tickfont": {"size": 12, "color": around.faint_text},
        "title": {"font": {"size": 13, "color": around.text}, "standoff": 8},
        "automargin": True,
        # Numbers as in tables: 10,000, 0.001, 1e-8.
        "tickformat": ",~g",
    }
    scale = [[i / (len(around.scale) - 1), c] for i, c in enumerate(around.scale)]
    bar = {
        "outlinewidth": 0,
        "thickness": 12,
        "tickfont": {"size": 12, "color": around.faint_text},
        "title": {"font": {"size": 13}},
        "tickformat": ",~g",
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": around.text},
            "colorway": list(COLOURS),
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": axis,
            "yaxis": axis,
            "coloraxis": {"colorscale": scale, "colorbar": bar},
            "hoverlabel": {
                "bgcolor": around.label,
                "bordercolor": around.line,
                "font": {"color": around.text, "size": 12},
                "align": "left",
            },
            "legend": {
                "orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom",
                "font": {"size": 12}, "itemsizing": "constant",
            },
            "annotationdefaults": {"font": {"size": 12, "color": around.text}, "showarrow": False},
            "margin": {"l": 16, "r": 16, "t": 40, "b": 16},
            "hovermode": "closest",
            "dragmode": "zoom",
        }
    )  # fmt: skip


light = _template(_LIGHT)
dark = _template(_DARK)


def figure(height: int, **layout: Any) -> go.Figure:
    """An empty figure as wide as its place, of a height in pixels."""
    return go.Figure(layout={"template": light, "height": height, "autosize": True, **layout})


def alone(drawn: go.Figure) -> go.Figure:
    """A figure that is shown without a page, and so on a background of its own."""
    drawn.layout.template = go.layout.Template(light)
    drawn.layout.template.layout.update(paper_bgcolor="#ffffff", plot_bgcolor="#ffffff")
    return drawn


def faded(colour: str, opacity: float) -> str:
    """A colour such as `#2a84c6` as one that lets through what is behind it."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
