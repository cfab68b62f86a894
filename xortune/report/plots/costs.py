"""The objective against the cost of a trial."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from xortune.report.plots.best_trials import dots_with_texts
from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.ranked import (
    Floats,
    Ranked,
    log_axis,
    outside_words,
    packed,
    ranked_trials,
    spans_decades,
    thinned_words,
    trial_texts,
    value_axis,
)
from xortune.report.plots.scales import scales
from xortune.report.plots.text import brief, count, number, plain
from xortune.report.plots.theme import BLUE, GREY, figure
from xortune.report.results import Results

_MOST_FRONT, _MOST_TEXT = 200, 15_000
_TIME = "training time"
_NOISE = 2.0  # the ratio of the 90% and the 10% quantile that chance alone gives times


def cost(results: Results) -> Picture:
    """Each trial's objective by its cost, and the front that no trial improves on in both.

    The cost is the parameter that training time is proportional to, or else the time that a
    trial took.

    Raises:
        Absent: no trial is complete, or all cost the same, or took about the same time.
    """
    ranked = ranked_trials(results)
    name, costs, axis = _costs(results, ranked)
    there = np.isfinite(costs)
    if np.count_nonzero(there) < 2 or np.ptp(costs[there]) == 0:
        raise Absent("all trials cost the same")
    if name == _TIME and _is_noise(costs[there]):
        raise Absent("all trials took about the same time")
    places, texts = dots_with_texts(ranked, results)
    keep = there[places]
    front = pareto_front(costs, ranked.values, falls=ranked.target.falls)
    drawn = figure(
        400,
        xaxis=axis,
        yaxis=value_axis(ranked.values, ranked.target.label, falls=ranked.target.falls),
    )
    drawn.add_trace(
        go.Scatter(
            x=packed(costs[places][keep]), y=packed(ranked.values[places][keep]), mode="markers",
            marker={"color": GREY, "size": 5, "opacity": 0.6}, name="trials", hoverinfo="text",
            hovertext=[text for text, kept in zip(texts, keep) if kept],
        )
    )  # fmt: skip
    few = front[np.unique(np.linspace(0, len(front) - 1, min(len(front), _MOST_FRONT)).astype(int))]
    drawn.add_trace(
        go.Scatter(
            x=packed(costs[few]), y=packed(ranked.values[few]), mode="lines+markers",
            line={"color": BLUE, "width": 2, "shape": "hv"}, marker={"size": 7}, name="front",
            hovertext=_front_texts(ranked, results, few), hoverinfo="text",
        )
    )  # fmt: skip
    words = _words(ranked, name, costs, front) + thinned_words(len(ranked), len(places))
    return Picture(
        "cost", f"{brief(ranked.target.name)} against cost", drawn,
        words + outside_words(ranked),
    )  # fmt: skip


def _front_texts(ranked: Ranked, results: Results, places: NDArray[np.int64]) -> list[str]:
    names = [scale.name for scale in scales(results)]
    return trial_texts(ranked, names, places, _MOST_TEXT)


def pareto_front(costs: Floats, values: Floats, *, falls: bool) -> NDArray[np.int64]:
    """The places of the trials that no other beats in one respect and equals in the other.

    By rising cost; of equal ones the first in rank alone.
    """
    signed = values if falls else -values
    order = np.lexsort((np.arange(len(costs)), signed, costs))
    order = order[np.isfinite(costs[order])]
    before = np.concatenate([[np.inf], np.minimum.accumulate(signed[order])[:-1]])
    return order[signed[order] < before]


def _costs(results: Results, ranked: Ranked) -> tuple[str, Floats, dict[str, Any]]:
    """The name of the cost, that of each ranked trial, and the axis."""
    scale = next((scale for scale in scales(results) if scale.name == results.spec.cost), None)
    if scale is not None and scale.kind != "choice":
        return brief(scale.name), scale.places(ranked.frame), scale.axis()
    costs = ranked.frame["duration_s"].to_numpy(dtype=np.float64, na_value=np.nan)
    if scale is not None:
        costs = ranked.frame[scale.name].to_numpy(dtype=np.float64, na_value=np.nan)
    there = costs[np.isfinite(costs)]
    kind = log_axis(there.min(), there.max()) if spans_decades(there) else {"rangemode": "tozero"}
    title = plain(scale.name) if scale is not None else "training, seconds"
    name = brief(scale.name) if scale is not None else _TIME
    return name, costs, {"title": {"text": title}, "showgrid": False, **kind}


def _is_noise(times: Floats) -> bool:
    """Whether times differ so little that a trade-off would be one with the machine's load."""
    low, high = np.quantile(times, (0.1, 0.9))
    return bool(high <= _NOISE * low)


def _words(ranked: Ranked, name: str, costs: Floats, front: NDArray[np.int64]) -> str:
    target = ranked.target.name
    cheap, best = front[0], front[-1]
    words = f"{target} by {name} of {count(len(ranked), 'trial')}. "
    if len(front) == 1:
        return f"{words}Trial {ranked.numbers[best]} is both the cheapest and the best."
    words += f"{count(len(front), 'trial')} make the front, on which a better {target} costs more: "
    words += f"from {number(float(ranked.values[cheap]))} at {number(float(costs[cheap]))} to "
    words += f"{number(float(ranked.values[best]))} at {number(float(costs[best]))}"
    return f"{words} s." if name == _TIME else f"{words}."
