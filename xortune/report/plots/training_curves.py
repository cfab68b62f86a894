"""The curves of the best trials over the spread of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.ranked import Floats, log_axis, packed, spans_decades
from xortune.report.plots.text import count, number, plain
from xortune.report.plots.theme import COLOURS, GREY, faded, figure
from xortune.report.results import Results
from xortune.spec import REPLICATES, ProblemSpec

_BEST = 5
_FEWEST = 5  # curves that make a spread
_SHARE = 0.1  # of the curves that have to have begun before an epoch
_LOSSES = "loss/"  # the group of the tags of what trials train on
_MOST_CURVES, _MOST_POINTS, _GRID = 20_000, 300, 60
# Quantiles, how dark the band between them is, and what it holds.
_BANDS = ((0.1, 0.9, 0.15, "others: 80%"), (0.25, 0.75, 0.22, "others: half"))


# The metric that holds the epoch whose weights a trial keeps, where a problem keeps the best ones.
_KEPT = "best_epoch"


class _Line(NamedTuple):
    """A curve where it has a value."""

    epochs: Floats  # ascending
    values: Floats


class _Spread(NamedTuple):
    """Quantiles of many curves by epoch."""

    epochs: Floats  # (n,)
    quantiles: Mapping[float, Floats]  # each (n,)
    curves: int


def curves(results: Results, numbers: Sequence[int] | None = None) -> Picture:
    """The curves of some trials, by default of the five best, over the spread of the others.

    Raises:
        Absent: they have no curve.
    """
    name = series_shown(results.spec)
    lines = _lines(results, name) if name is not None else {}
    table = results.trials
    if numbers is None:
        ranked = table.loc[table["rank"].notna(), "number"].tolist()
        numbers = [n for n in ranked if n in lines][:_BEST]
    shown = {n: lines[n] for n in numbers if n in lines}
    if name is None or not shown:
        raise Absent("its trials have no curves of more than one point")
    ended = table.loc[table["state"].isin(["COMPLETE", "PRUNED"]), "number"].tolist()
    others = [lines[n] for n in ended if n in lines and n not in shown]
    spread = _spread(others, max(line.epochs[-1] for line in shown.values()))
    drawn = figure(
        400,
        xaxis={"title": {"text": "epoch"}, "showgrid": False},
        yaxis=_axis([*shown.values()], spread, _label(results.spec, name)),
    )
    for trace in _bands(spread) if spread else ():
        drawn.add_trace(trace)
    for place, (n, line) in reversed([*enumerate(shown.items())]):
        drawn.add_trace(_trace(line, f"trial {n}", COLOURS[place % (len(COLOURS) - 1)]))
    kept = _kept(results, shown)
    if on_curve := {n: epoch for n, epoch in kept.items() if epoch in shown[n].epochs}:
        drawn.add_trace(_marks(shown, on_curve))
    drawn.update_layout(legend={"traceorder": "reversed"})
    words = _words(_tag(results.spec, name), shown, _kept_words(shown, kept), spread)
    if _is_own_loss(results.spec, name):
        words += " Each curve is of its trial's own loss; those of other losses do not compare."
    return Picture("curves", "Curves of the best trials", drawn, words)


def series_shown(spec: ProblemSpec) -> str | None:
    """The series of a problem's curves that tells most: the objective, the loss, or the last."""
    names = [series.name for series in spec.curve]
    wanted = (spec.objectives[0].metric, spec.loss, "validation", *names[-1:])
    return next((name for name in wanted if name in names), None)


def _tag(spec: ProblemSpec, name: str) -> str:
    return next(series.tag for series in spec.curve if series.name == name)


def _is_own_loss(spec: ProblemSpec, name: str) -> bool:
    """Whether a series is of the loss that a trial trains on, which trials may choose."""
    return name not in (spec.objectives[0].metric, spec.loss) and _tag(spec, name).startswith(
        _LOSSES
    )


def _label(spec: ProblemSpec, name: str) -> str:
    own = " (each trial's own)" if _is_own_loss(spec, name) else ""
    return f"{plain(_tag(spec, name))}{own}"


def _lines(results: Results, name: str) -> dict[int, _Line]:
    found = {}
    for n, curve in results.curves.items():
        values = np.array(curve.series.get(name, ()), np.float64)
        if len(values) != len(curve.epochs) or len(values) < 2:
            continue
        there = np.isfinite(values)
        if np.count_nonzero(there) > 1:
            found[n] = _Line(np.array(curve.epochs, np.float64)[there], values[there])
    return found


def _spread(lines: Sequence[_Line], last: float) -> _Spread | None:
    """Quantiles of curves up to the last epoch of all; None if there are too few.

    A curve that ends earlier keeps its last value, so that every epoch has the same trials: those
    that are pruned, or ask for fewer epochs, would otherwise leave the better ones behind.

    Args:
        lines: the curves.
        last: the epoch up to which there are quantiles even if no curve gets there.
    """
    if len(lines) > _MOST_CURVES:
        lines = [lines[place * len(lines) // _MOST_CURVES] for place in range(_MOST_CURVES)]
    if len(lines) < _FEWEST:
        return None
    starts = np.sort([line.epochs[0] for line in lines])
    start = starts[max(_FEWEST, round(_SHARE * len(lines))) - 1]
    grid = np.linspace(start, max(last, *(line.epochs[-1] for line in lines)), _GRID)
    values = np.array([np.interp(grid, *line, left=np.nan) for line in lines], np.float64)
    wanted = sorted({0.5, *(q for low, high, *_ in _BANDS for q in (low, high))})
    rows = np.nanquantile(values, wanted, axis=0)
    return _Spread(grid, dict(zip(wanted, rows)), len(lines))


def _bands(spread: _Spread) -> list[go.Scatter]:
    x = packed(spread.epochs)
    traces = []
    for low, high, opacity, label in _BANDS:
        edge: dict[str, Any] = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        edge |= {"legendgroup": label, "name": label}
        fill = {"fill": "tonexty", "fillcolor": faded(GREY, opacity)}
        traces.append(go.Scatter(x=x, y=packed(spread.quantiles[low]), showlegend=False, **edge))
        traces.append(go.Scatter(x=x, y=packed(spread.quantiles[high]), **edge, **fill))
    traces.append(
        go.Scatter(
            x=x, y=packed(spread.quantiles[0.5]), mode="lines", name="others: median",
            line={"color": GREY, "width": 1.5, "dash": "dash"},
            hovertemplate="median of the others<br>epoch %{x:,.0f}: %{y:.3g}<extra></extra>",
        )
    )  # fmt: skip
    return traces


def _trace(line: _Line, label: str, colour: str) -> go.Scatter:
    step = max(1, -(-len(line.epochs) // _MOST_POINTS))
    places = np.unique(np.r_[np.arange(0, len(line.epochs), step), len(line.epochs) - 1])
    return go.Scatter(
        x=packed(line.epochs[places]), y=packed(line.values[places]), mode="lines", name=label,
        line={"color": colour, "width": 2},
        hovertemplate=f"{label}<br>epoch %{{x:,.0f}}: %{{y:.3g}}<extra></extra>",
    )  # fmt: skip


def _kept(results: Results, shown: Mapping[int, _Line]) -> dict[int, float]:
    """The epochs of which trials keep the weights, by number; empty where they keep the last.

    Of several trainings there is no such epoch, but a mean.
    """
    if _KEPT not in results.trials or REPLICATES in results.spec.metric_names:
        return {}
    epochs = results.trials.set_index("number")[_KEPT].astype("float64")
    found = {n: float(epochs.loc[n]) for n in shown}
    return {n: epoch for n, epoch in found.items() if np.isfinite(epoch)}


def _at(line: _Line, epoch: float) -> float:
    return float(line.values[line.epochs == epoch][0])


def _marks(shown: Mapping[int, _Line], kept: Mapping[int, float]) -> go.Scatter:
    colours = {n: COLOURS[place % (len(COLOURS) - 1)] for place, n in enumerate(shown)}
    return go.Scatter(
        x=packed([*kept.values()]), y=packed([_at(shown[n], epoch) for n, epoch in kept.items()]),
        mode="markers", name="the result", customdata=packed([*kept]),
        marker={
            "symbol": "circle-open", "size": 10, "color": [colours[n] for n in kept],
            "line": {"width": 2.5},
        },
        hovertemplate="result of trial %{customdata}<br>epoch %{x:,.0f}: %{y:.3g}<extra></extra>",
    )  # fmt: skip


def _kept_words(shown: Mapping[int, _Line], kept: Mapping[int, float]) -> str:
    """A sentence on the result of the first trial, with a space before it; empty without one."""
    first = next(iter(shown))
    if first not in kept:
        return ""
    line, epoch = shown[first], kept[first]
    words = f" Its result is that of its best epoch, {number(epoch)}"
    if epoch not in line.epochs:
        return f"{words}, between two points of the curve."
    return f"{words}, with {number(_at(line, epoch))} (a ring)."


def _axis(lines: Sequence[_Line], spread: _Spread | None, title: str) -> dict[str, Any]:
    """Over the logarithm where the values span decades; else as far as lines and bands go."""
    parts = [line.values for line in lines]
    parts += [*spread.quantiles.values()] if spread else []
    values = np.concatenate(parts)
    kind = log_axis(values.min(), values.max()) if spans_decades(values) else {"nticks": 7}
    return {"title": {"text": title}, **kind}


def _words(name: str, shown: Mapping[int, _Line], kept: str, spread: _Spread | None) -> str:
    first, line = next(iter(shown.items()))
    words = f"{name} by epoch of {count(len(shown), 'trial')}. That of trial {first} goes from "
    words += f"{number(line.values[0])} to {number(line.values[-1])} in "
    words += f"{number(line.epochs[-1])} epochs"
    words = f"{words}.{kept}"
    if spread is None:
        return words
    low, middle, high = (number(spread.quantiles[q][-1]) for q in (0.1, 0.5, 0.9))
    return (
        f"{words} The {count(spread.curves, 'other trial')} end at a median of {middle}, 80% of "
        f"them between {low} and {high}; one that ended early counts with its last value."
    )
