"""Where pruned trials stopped, and how their losses lay there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.ranked import Floats, Target, packed, target_of, value_axis
from xortune.report.plots.scales import scattered
from xortune.report.plots.text import count, listed, number, percent, plain
from xortune.report.plots.theme import BLUE, GREY, figure
from xortune.report.results import Results
from xortune.spec import PRUNED_EPOCH, PRUNED_LOSS

if TYPE_CHECKING:
    import pandas as pd

_MOST_DOTS = 2000  # at one rung


class _Stop(NamedTuple):
    """The trials that stopped at one rung, or that trained to their end."""

    label: str
    trials: int
    numbers: NDArray[np.int64]  # of those that have a value
    values: Floats  # their objectives there


def rungs(results: Results) -> Picture:
    """How many trials stopped at each rung, above their objectives there.

    Raises:
        Absent: the study has no pruner, or no trial is pruned.
    """
    if PRUNED_EPOCH not in results.spec.metric_names:
        raise Absent("it has no pruner")
    target = target_of(results.spec)
    stops = _stops(results.trials, target)
    if len(stops) < 2 and not any(stop.label != "end" for stop in stops):
        raise Absent("no trial is pruned yet")
    drawn = figure(460)
    make_subplots(
        rows=2, cols=1, figure=drawn, shared_xaxes=True, vertical_spacing=0.05,
        row_heights=[0.28, 0.72],
    )  # fmt: skip
    drawn.add_trace(_bars(stops), row=1, col=1)
    for trace in (_dots(stops, target), _medians(stops, target)):
        drawn.add_trace(trace, row=2, col=1)
    values = np.concatenate([stop.values for stop in stops])
    title = f"{plain(target.name)} there"
    most = max(stop.trials for stop in stops)
    drawn.update_yaxes(
        title={"text": "trials"}, range=[0, 1.35 * most], showticklabels=False, showgrid=False,
        row=1,
    )  # fmt: skip
    drawn.update_yaxes(
        **(value_axis(values, title, falls=target.falls) if len(values) else {}), row=2
    )
    labels = [stop.label for stop in stops]
    drawn.update_xaxes(
        tickvals=[*range(len(labels))], ticktext=labels, range=[-0.6, len(labels) - 0.4],
        showgrid=False, zeroline=False,
    )  # fmt: skip
    drawn.update_xaxes(title={"text": "stopped at epoch"}, row=2)
    return Picture("rungs", "Pruned trials at their rungs", drawn, _words(results, target, stops))


def _stops(trials: pd.DataFrame, target: Target) -> list[_Stop]:
    pruned = trials[trials["state"] == "PRUNED"]
    epochs = sorted(pruned[PRUNED_EPOCH].dropna().unique().tolist())
    found = [
        _stop(f"{epoch:,}", pruned[pruned[PRUNED_EPOCH] == epoch], PRUNED_LOSS) for epoch in epochs
    ]
    complete = trials[trials["state"] == "COMPLETE"]
    return [*found, _stop("end", complete, target.name)] if len(complete) else found


def _stop(label: str, rows: pd.DataFrame, column: str) -> _Stop:
    values = rows[column].to_numpy(dtype=np.float64, na_value=np.nan)
    there = np.isfinite(values)
    return _Stop(label, len(rows), rows["number"].to_numpy(np.int64)[there], values[there])


def _bars(stops: list[_Stop]) -> go.Bar:
    counts = [stop.trials for stop in stops]
    return go.Bar(
        x=[*range(len(stops))], y=counts, text=[f"{n:,}" for n in counts], name="trials",
        marker={"color": [GREY] * len(stops)}, width=0.5, textposition="outside", cliponaxis=False,
        hovertemplate="%{y:,} trials<extra></extra>", showlegend=False,
    )  # fmt: skip


def _dots(stops: list[_Stop], target: Target) -> go.Scatter:
    kept = [
        np.unique(np.linspace(0, len(s.values) - 1, min(len(s.values), _MOST_DOTS)).round())
        for s in stops
    ]
    picked = [(s, k.astype(np.int64)) for s, k in zip(stops, kept)]
    numbers = np.concatenate([stop.numbers[places] for stop, places in picked])
    rows = np.concatenate([np.full(len(places), i) for i, (_, places) in enumerate(picked)])
    return go.Scatter(
        x=packed(rows + scattered(numbers, 0.55)),
        y=packed(np.concatenate([stop.values[places] for stop, places in picked])),
        customdata=packed(numbers), mode="markers", name="trials",
        marker={"color": GREY, "size": 5, "opacity": 0.6},
        hovertemplate=f"trial %{{customdata}}<br>{plain(target.name)} %{{y:.4g}}"
        "<extra></extra>",
    )  # fmt: skip


def _medians(stops: list[_Stop], target: Target) -> go.Scatter:
    there = [(i, float(np.median(s.values))) for i, s in enumerate(stops) if len(s.values)]
    return go.Scatter(
        x=[i for i, _ in there], y=packed([median for _, median in there]), mode="markers",
        marker={"symbol": "line-ew-open", "size": 44, "color": BLUE, "line": {"width": 3}},
        name="median", hovertemplate="median %{y:.4g}<extra></extra>",
    )  # fmt: skip


def _words(results: Results, target: Target, stops: list[_Stop]) -> str:
    total = sum(stop.trials for stop in stops)
    parts = [
        f"{stop.trials:,} "
        + ("trained to the end" if stop.label == "end" else f"stopped at epoch {stop.label}")
        for stop in stops
    ]
    words = f"Of {count(total, 'trial')} {listed(parts)}."
    medians = [
        f"{number(float(np.median(stop.values)))} {_where(stop)}"
        for stop in stops
        if len(stop.values)
    ]
    words += f" The median {target.name} is {listed(medians)}." if medians else ""
    return words + _saved(results)


def _where(stop: _Stop) -> str:
    return "at the end" if stop.label == "end" else f"at epoch {stop.label}"


def _saved(results: Results) -> str:
    """How much training the pruner spared, where the cost of a trial is counted in epochs."""
    cost, trials = results.spec.cost, results.trials
    if cost is None:
        return ""
    ended = trials[trials["state"].isin(["COMPLETE", "PRUNED"])]
    asked = ended[cost].to_numpy(np.float64)
    trained = ended[PRUNED_EPOCH].to_numpy(dtype=np.float64, na_value=np.nan)
    trained = np.where(np.isnan(trained), asked, trained)
    if not asked.sum() > 0 or (trained > asked).any():
        return ""
    return f" They trained {percent(trained.sum() / asked.sum())} of the {cost} they asked for."
