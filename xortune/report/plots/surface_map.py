"""What a model of two inputs answers over their plane."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from xortune.network import Surface
from xortune.report.plots.picture import Picture
from xortune.report.plots.ranked import packed
from xortune.report.plots.text import brief, number, percent, plain
from xortune.report.plots.theme import BLUE, COLOURS, GREY, ORANGE, figure

_MOST_ROWS = 2000
_SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "star")


def surface_picture(surface: Surface, title: str) -> Picture:
    """A map of the answers, with the boundary of the decision and the rows.

    Args:
        surface: the answers.
        title: such as `Trial 7`.
    """
    drawn = figure(
        520,
        xaxis={"title": {"text": plain(surface.inputs[0])}, "showgrid": False, "zeroline": False},
        yaxis={"title": {"text": plain(surface.inputs[1])}, "showgrid": False, "zeroline": False},
    )
    answers = np.array(surface.answers, np.float64)
    plane = {"x": packed(surface.xs), "y": packed(surface.ys), "z": packed(answers)}
    drawn.add_trace(_map(surface, plane))
    drawn.update_layout(coloraxis=_colours(surface))
    if surface.boundary is not None:
        drawn.add_trace(
            go.Contour(
                **plane, contours={"coloring": "none", "start": surface.boundary, "size": 1,
                "end": surface.boundary}, line={"color": ORANGE, "width": 2.5}, showscale=False,
                name="boundary", showlegend=True, hoverinfo="skip",
            )
        )  # fmt: skip
    for trace in _rows(surface):
        drawn.add_trace(trace)
    return Picture("surface", title, drawn, _words(surface, answers))


def _map(surface: Surface, plane: dict[str, Any]) -> Any:
    x, y = map(plain, surface.inputs)
    hover = f"{x} %{{x:.3g}}, {y} %{{y:.3g}}<br>{plain(surface.answer)} %{{z:.3g}}<extra></extra>"
    style: dict[str, Any] = {"coloraxis": "coloraxis", "hovertemplate": hover}
    if len(surface.classes) > 2:
        return go.Heatmap(**plane, **style)
    return go.Contour(**plane, **style, line={"width": 0.4}, ncontours=12)


def _colours(surface: Surface) -> dict[str, Any]:
    bar: dict[str, Any] = {"title": {"text": plain(surface.answer), "side": "top"}}
    if len(surface.classes) <= 2:
        return {"colorbar": bar}
    last = len(surface.classes) - 1
    names = [plain(name) for name in surface.classes]
    bar |= {"tickvals": [*range(last + 1)], "ticktext": names}
    return {"colorbar": bar, "cmin": 0, "cmax": last}


def _rows(surface: Surface) -> list[go.Scatter]:
    """The rows by their class, or all alike where a number is learnt."""
    points = np.array(surface.points, np.float64).reshape(-1, 3)[:_MOST_ROWS]
    if not len(points):
        return []
    targets = points[:, 2]
    values = np.unique(targets)
    if len(values) > len(_SYMBOLS):
        groups = [("rows", np.full(len(points), True), 0)]
    else:
        groups = [(_class(surface, v), targets == v, i) for i, v in enumerate(values.tolist())]
    return [
        go.Scatter(
            x=packed(points[mine, 0]), y=packed(points[mine, 1]), mode="markers", name=name,
            customdata=packed(targets[mine]),
            marker={
                **_fill(targets, (BLUE, ORANGE, *COLOURS[2:])[place], is_number=len(groups) == 1),
                "symbol": _SYMBOLS[place], "size": 11 if len(points) < 100 else 6,
            },
            hovertemplate="%{x:.3g}, %{y:.3g}: %{customdata:.3g}<extra></extra>",
        )
        for name, mine, place in groups
    ]  # fmt: skip


def _fill(targets: Any, colour: str, *, is_number: bool) -> dict[str, Any]:
    """The colour of rows: that of their class, or the one that the map has for such an answer."""
    if is_number:
        line = {"width": 1, "color": GREY}
        return {"color": packed(targets), "coloraxis": "coloraxis", "line": line}
    return {"color": colour, "line": {"width": 1.5, "color": "white"}}


def _class(surface: Surface, target: float) -> str:
    if surface.classes and target == int(target) and 0 <= target < len(surface.classes):
        return plain(surface.classes[int(target)])
    return number(target)


def _words(surface: Surface, answers: Any) -> str:
    x, y = map(brief, surface.inputs)
    words = f"{brief(surface.answer)} over {x} and {y}"
    if len(surface.classes) > 2:
        return f"{words}: one of {len(surface.classes)} classes."
    words += f", from {number(float(answers.min()))} to {number(float(answers.max()))}"
    if surface.boundary is not None:
        share = float((answers >= surface.boundary).mean())
        words += f"; {percent(share)} of the plane lies above {number(surface.boundary)}"
    return f"{words}."
