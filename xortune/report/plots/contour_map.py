"""The objective over the two parameters that matter most."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from xortune.report.plots.best_trials import best_mark
from xortune.report.plots.ped_anova import importances
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
from xortune.report.plots.text import brief, count, number, percent, plain, shown
from xortune.report.plots.theme import GREY, figure
from xortune.report.results import Results

_GRID = 48
_MOST_TRIALS, _MOST_DOTS, _MOST_TEXT = 2000, 500, 30_000
_NEAR = 0.08  # of an axis: places further than that from every trial have no colour


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
    measured = [one for one in importances(results) if one.name in varying]
    names = [one.name for one in measured]
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
    words = _words(ranked, (across, up), int(np.count_nonzero(there)))
    words += _pruned_words(results)
    unclear = [brief(one.name) for one in measured[:2] if not one.is_clear]
    if not unclear:
        return Picture("contour", "The two parameters that matter most", drawn, words)
    who = "Neither of the two" if len(unclear) == 2 else f"Of the two, {unclear[0]}"
    no_more = "more" if len(unclear) == 2 else "no more"
    words += f" {who} matters {no_more} than it would by chance alone."
    return Picture("contour", f"{brief(ranked.target.name)} over two parameters", drawn, words)


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
    of choices only the same one counts. NaN where no trial is near.

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
    level[_nearest(axes, places, grid, few) > _NEAR] = np.nan
    return level


def _nearest(
    axes: tuple[Scale, Scale],
    places: tuple[Floats, Floats],
    grid: tuple[Floats, Floats],
    few: NDArray[np.int64],
) -> Floats:
    """How far the nearest trial is from each place, in shares of the axes; shape (up, across)."""
    across, up = (_apart(axis, at, place[few]) for axis, at, place in zip(axes, grid, places))
    nearest: Floats = np.array([np.hypot(row, across).min(axis=1) for row in up])
    return nearest


def _apart(axis: Scale, at: Floats, places: Floats) -> Floats:
    """How far trials are from places of an axis, in shares of it; shape (places, trials)."""
    if axis.kind == "choice":
        return np.where(at[:, None] == places[None, :], 0.0, np.inf)
    return axis.fractions(at)[:, None] - axis.fractions(places)[None, :]


def _nearness(axis: Scale, at: Floats, places: Floats, width: float) -> Floats:
    """How near trials are to places of an axis, from 0 to 1; shape (places, trials)."""
    near: Floats = np.exp(-0.5 * (_apart(axis, at, places) / width) ** 2)
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
    title = plain(ranked.target.name)
    if spans_decades(ranked.values):
        title += "<br>(geometric<br>mean)"
    bar: dict[str, Any] = {"title": {"text": title, "side": "top"}}
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
    typical = "The typical (geometric mean)" if spans_decades(ranked.values) else "The mean"
    words = (
        f"{typical} {name} over {brief(axes[0].name)} and {brief(axes[1].name)}, smoothed over "
        f"{count(trials, 'trial')}: between the dots it is an estimate, and further from every one "
        f"than {percent(_NEAR)} of an axis there is none."
    )
    has_both = all(np.isfinite(axis.places(best)).all() for axis in axes)
    return f"{words} The best trial, with a star, lies at {at}." if has_both else words


def _pruned_words(results: Results) -> str:
    """A sentence on pruned trials, with a space before it; empty without any."""
    pruned = int(np.count_nonzero(results.trials["state"] == "PRUNED"))
    if not pruned:
        return ""
    left = "is" if pruned == 1 else "are"
    return (
        f" {count(pruned, 'pruned trial')} {left} left out: the map knows only trials that did "
        "well enough to be trained to the end."
    )
