"""The objective over the two parameters that matter most."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from xortune.report.plots.best_trials import best_mark
from xortune.report.plots.ped_anova import measures
from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.ranked import (
    Floats,
    Ranked,
    chosen,
    packed,
    ranked_trials,
    spans_decades,
    trial_texts,
)
from xortune.report.plots.scales import Scale, scales, scattered
from xortune.report.plots.text import brief, count, number, plain, shown
from xortune.report.plots.theme import GREY, figure
from xortune.report.results import Results

_GRID = 48
_MOST_TRIALS, _MOST_DOTS, _MOST_TEXT = 2000, 500, 30_000
_WEIGHT = 0.6  # of the trials near a place, without which its colour would be a guess


def contour(results: Results) -> Picture:
    """A map of the objective, smoothed over the trials; empty where there are none nearby.

    Raises:
        Absent: fewer than two parameters vary, or nothing tells which matter most.
    """
    ranked = ranked_trials(results)
    varying = {
        scale.name: scale
        for scale in scales(results)
        if not scale.parameter.is_seed
        and 2 * np.count_nonzero(np.isfinite(scale.places(ranked.frame))) >= len(ranked)
    }
    if len(varying) < 2:
        raise Absent("fewer than two parameters vary")
    measured = measures(results)
    names = sorted(varying, key=lambda name: -measured[name])
    across, up = (varying[name] for name in names[:2])
    x, y = across.places(ranked.frame), up.places(ranked.frame)
    there = np.isfinite(x) & np.isfinite(y)
    if np.count_nonzero(there) < 10:
        raise Absent(f"fewer than ten trials have both {brief(across.name)} and {brief(up.name)}")
    drawn = figure(460, margin={"t": 16}, xaxis=across.axis(), yaxis=up.axis())
    drawn.add_trace(_map(ranked, (across, up), (x[there], y[there]), ranked.values[there]))
    drawn.update_layout(coloraxis=_colours(ranked))
    for trace in _dots(ranked, names, (across, up), (x, y)):
        drawn.add_trace(trace)
    return Picture(
        "contour",
        "The two parameters that matter most",
        drawn,
        _words(ranked, (across, up), int(np.count_nonzero(there))),
    )


def _map(
    ranked: Ranked, axes: tuple[Scale, Scale], places: tuple[Floats, Floats], values: Floats
) -> Any:
    logs = np.log10(values) if spans_decades(ranked.values) else values
    across, up = (_grid(axis) for axis in axes)
    level = smoothed(axes, places, logs, (across, up))
    shared: dict[str, Any] = {
        "x": packed(across), "y": packed(up), "z": packed(level), "coloraxis": "coloraxis",
        "hoverinfo": "skip",
    }  # fmt: skip
    if "choice" in (axes[0].kind, axes[1].kind):
        return go.Heatmap(**shared)
    return go.Contour(**shared, line={"width": 0.5}, ncontours=14, connectgaps=False)


def smoothed(
    axes: tuple[Scale, Scale],
    places: tuple[Floats, Floats],
    values: Floats,
    grid: tuple[Floats, Floats],
) -> Floats:
    """A kernel regression (Nadaraya 1964, Watson 1964) of values over two axes.

    The kernel is Gaussian over the shares of an axis of numbers, of the width of Scott's rule;
    of choices only the same one counts. NaN where hardly any trial is near.

    Returns:
        An array of shape (up, across).
    """
    few = _evenly(len(values), _MOST_TRIALS)
    width = 0.3 * len(few) ** (-1 / 6)
    across, up = (
        _nearness(axis, at, place[few], width) for axis, at, place in zip(axes, grid, places)
    )
    weight = up @ across.T
    with np.errstate(invalid="ignore", divide="ignore"):
        level: Floats = ((up * values[few]) @ across.T) / weight
    level[weight < _WEIGHT] = np.nan
    return level


def _nearness(axis: Scale, at: Floats, places: Floats, width: float) -> Floats:
    """How near trials are to places of an axis, from 0 to 1; shape (places, trials)."""
    if axis.kind == "choice":
        same: Floats = (at[:, None] == places[None, :]).astype(np.float64)
        return same
    apart = axis.fractions(at)[:, None] - axis.fractions(places)[None, :]
    near: Floats = np.exp(-0.5 * (apart / width) ** 2)
    return near


def _grid(axis: Scale) -> Floats:
    if axis.kind == "choice":
        return np.arange(len(axis.texts), dtype=np.float64)
    space = np.geomspace if axis.kind == "log" else np.linspace
    return space(axis.low, axis.high, _GRID)


def _evenly(total: int, most: int) -> NDArray[np.int64]:
    if total <= most:
        return np.arange(total)
    return np.linspace(0, total - 1, most).round().astype(np.int64)


def _colours(ranked: Ranked) -> dict[str, Any]:
    """From the worst to the best, with ticks in the objective's own numbers."""
    low, high = np.quantile(ranked.values, (0, 1))
    bar: dict[str, Any] = {"title": {"text": plain(ranked.target.name), "side": "top"}}
    axis: dict[str, Any] = {"reversescale": ranked.target.falls, "colorbar": bar}
    if spans_decades(ranked.values):
        first, last = int(np.ceil(np.log10(low))), int(np.floor(np.log10(high)))
        powers = [*range(first, last + 1, max(1, -(-(last - first) // 6)))]
        bar |= {"tickvals": powers, "ticktext": [number(10.0**power) for power in powers]}
    return axis


def _dots(
    ranked: Ranked, names: list[str], axes: tuple[Scale, Scale], places: tuple[Floats, Floats]
) -> list[go.Scatter]:
    few = chosen(len(ranked), _MOST_DOTS)
    few = few[np.isfinite(places[0][few]) & np.isfinite(places[1][few])]
    numbers = ranked.numbers[few]
    x, y = (
        place[few] + (scattered(numbers, 0.5) if axis.kind == "choice" else 0.0)
        for axis, place in zip(axes, places)
    )
    texts = trial_texts(ranked, names, few, _MOST_TEXT)
    dots = go.Scatter(
        x=packed(x), y=packed(y), mode="markers", name="trials", hovertext=texts, hoverinfo="text",
        marker={"color": GREY, "size": 4, "line": {"width": 0.5, "color": "white"}},
        showlegend=False,
    )  # fmt: skip
    if not len(few) or few[0] != 0:
        return [dots]
    best = best_mark(ranked, float(x[0]), texts[0])
    best.update(y=[float(y[0])], showlegend=False)
    return [dots, best]


def _words(ranked: Ranked, axes: tuple[Scale, Scale], trials: int) -> str:
    best = ranked.frame.iloc[:1]
    at = " and ".join(f"{brief(axis.name)} {shown(best[axis.name].tolist()[0])}" for axis in axes)
    name = ranked.target.name
    words = (
        f"{name} over {brief(axes[0].name)} and {brief(axes[1].name)}, smoothed over "
        f"{count(trials, 'trial')}: between the dots it is an estimate, and where no trial is near "
        "there is none."
    )
    has_both = all(np.isfinite(axis.places(best)).all() for axis in axes)
    return f"{words} The best trial, with a star, lies at {at}." if has_both else words
