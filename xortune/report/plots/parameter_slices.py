"""The objective by each parameter."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from xortune.report.plots.parameter_importance import most_important, shown_words
from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.ranked import (
    Floats,
    Ranked,
    chosen,
    outside_words,
    packed,
    ranked_trials,
    spans_decades,
    thinned_words,
    value_axis,
)
from xortune.report.plots.scales import Scale, scales, scattered
from xortune.report.plots.text import brief, count, listed, number, plain, shown
from xortune.report.plots.theme import BLUE, GREY, ORANGE, figure
from xortune.report.results import Results

_COLUMNS = 2
_GAP = 0.1  # of the width, so that the numbers below neighbours stay apart on a narrow screen
_MOST_NAMED = 8  # parameters in a sentence
_ROW = 240  # pixels
_MOST_DOTS = 9000  # of all parameters together
_BINS, _FEWEST = 10, 12  # the most parts of a median line, and the fewest trials of one


def slices(results: Results) -> Picture:
    """A panel for each parameter that varies, with a dot for each trial.

    Raises:
        Absent: no trial is complete, or no parameter varies.
    """
    ranked = ranked_trials(results)
    all_of_them = scales(results)
    varying = most_important(results, all_of_them)
    if not varying:
        raise Absent("no parameter varies")
    places = chosen(len(ranked), max(300, min(2000, _MOST_DOTS // len(varying))))
    columns = min(_COLUMNS, len(varying))
    rows = -(-len(varying) // columns)
    drawn = figure(_ROW * rows + 60)
    make_subplots(
        rows=rows, cols=columns, figure=drawn, shared_yaxes=True, horizontal_spacing=_GAP,
        vertical_spacing=min(0.3, 70 / (_ROW * rows + 60)),
    )  # fmt: skip
    named: set[str] = set()  # what the legend has: not every panel has a median
    for index, scale in enumerate(varying):
        at = {"row": index // columns + 1, "col": index % columns + 1}
        for trace in _panel(ranked, scale, places):
            trace.showlegend = trace.name not in named
            named.add(trace.name)
            drawn.add_trace(trace, **at)
        drawn.update_xaxes(**scale.axis(narrow=True), **at)
    axis = value_axis(ranked.values, "", falls=ranked.target.falls)
    drawn.update_yaxes(**axis, matches="y")
    drawn.update_yaxes(title={"text": ranked.target.label}, col=1)
    words = _words(ranked, varying, places) + shown_words(all_of_them, varying)
    return Picture("slices", "Each parameter", drawn, words)


def _panel(ranked: Ranked, scale: Scale, places: NDArray[np.int64]) -> list[go.Scatter]:
    everywhere = scale.places(ranked.frame)
    x, numbers = everywhere[places], ranked.numbers[places]
    there = np.isfinite(x)
    shift = scattered(numbers, 0.6) if scale.kind == "choice" else np.zeros(len(x))
    label = plain(scale.name)
    hover: dict[str, Any] = {
        "hovertemplate": f"trial %{{customdata}}<br>{label} %{{x}}<br>"
        f"{plain(ranked.target.name)} %{{y:.4g}}<extra></extra>"
    }
    if scale.kind == "choice":
        hover["hovertemplate"] = hover["hovertemplate"].replace(" %{x}", " %{text}", 1)
        labels = scale.labels
        hover["text"] = [labels[int(place)] for place in x[there]]
    dots = go.Scatter(
        x=packed((x + shift)[there]), y=packed(ranked.values[places][there]), mode="markers",
        customdata=packed(numbers[there]), name="trials", legendgroup="trials",
        marker={"color": GREY, "size": 5, "opacity": 0.6}, **hover,
    )  # fmt: skip
    traces = [dots, *_medians(ranked, scale, everywhere)]
    if np.isfinite(everywhere[0]):
        traces.append(
            go.Scatter(
                x=[float((x + shift)[0])], y=[float(ranked.values[0])], mode="markers",
                marker={"color": ORANGE, "size": 12, "symbol": "star"}, name="best trial",
                legendgroup="best", hoverinfo="skip",
            )
        )  # fmt: skip
    return traces


def _medians(ranked: Ranked, scale: Scale, places: Floats) -> list[go.Scatter]:
    x, y, wide = median_line(scale, places, ranked.values)
    if not len(x):
        return []
    style: dict[str, Any] = {"mode": "lines", "line": {"color": BLUE, "width": 2}}
    if scale.kind == "choice":
        size = max(8, min(34, 170 // len(scale.texts)))
        style = {"mode": "markers", "marker": {"color": BLUE, "symbol": "line-ew-open"}}
        style["marker"] |= {"size": size, "line": {"width": 3}}
    return [
        go.Scatter(
            x=packed(x), y=packed(y), customdata=packed(wide), name="median",
            legendgroup="median",
            hovertemplate="median of %{customdata} trials: %{y:.3g}<extra></extra>", **style,
        )
    ]  # fmt: skip


def median_line(scale: Scale, places: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """The median objective of each choice, or of each of up to ten equal parts of the trials.

    Returns:
        The places, the medians there, and of how many trials they are; all empty where there are
        too few trials for a line.
    """
    there = np.isfinite(places)
    places, values = places[there], values[there]
    if scale.kind == "choice":
        groups = [np.flatnonzero(places == place) for place in np.unique(places)]
    else:
        groups = _equal_parts(places)
    rows = [(np.median(places[g]), np.median(values[g]), len(g)) for g in groups]
    x, y, size = np.array(rows, np.float64).reshape(-1, 3).T
    return x, y, size


def _equal_parts(places: Floats) -> list[NDArray[np.int64]]:
    """Trials by their places in parts of about one size; empty if there are too few for three."""
    parts = min(_BINS, len(places) // _FEWEST)
    if parts < 3:
        return []
    # Many trials at one place, such as the end of a range, are one part.
    inner = np.unique(np.quantile(places, np.arange(1, parts) / parts))
    part = np.searchsorted(inner, places, side="left")
    return [np.flatnonzero(part == one) for one in np.unique(part)]


def _words(ranked: Ranked, varying: list[Scale], places: NDArray[np.int64]) -> str:
    best = ranked.frame.iloc[:1]
    values = []
    for scale in varying[:_MOST_NAMED]:
        (place,) = scale.places(best)
        value = best[scale.name].tolist()[0] if np.isfinite(place) else None
        values.append(f"{brief(scale.name)} {shown(value)}")
    if len(varying) > _MOST_NAMED:
        values.append(f"{len(varying) - _MOST_NAMED} more")
    words = f"{ranked.target.name} of {count(len(ranked), 'trial')} by each of "
    words += f"{count(len(varying), 'parameter')}"
    words += ", over the logarithm" if spans_decades(ranked.values) else ""
    words += f". The best, {number(float(ranked.values[0]))}, has {listed(values)}."
    absent = [
        f"{brief(scale.name)} ({np.count_nonzero(~np.isfinite(scale.places(ranked.frame))):,})"
        for scale in varying
        if not np.isfinite(scale.places(ranked.frame)).all()
    ]
    if absent:
        words += f" Not every trial has {listed(absent)}."
    return words + thinned_words(len(ranked), len(places)) + outside_words(ranked)
