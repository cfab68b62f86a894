"""The best objective so far, with a dot for each trial."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from xortune.report.plots.picture import Picture
from xortune.report.plots.ranked import (
    Ranked,
    chosen,
    outside_words,
    packed,
    ranked_trials,
    thinned_words,
    trial_texts,
    value_axis,
)
from xortune.report.plots.scales import scales
from xortune.report.plots.text import count, number, plain
from xortune.report.plots.theme import BLUE, GREY, ORANGE, figure
from xortune.report.results import Results

_MOST_DOTS, _MOST_TEXT = 2000, 70_000


def best_so_far(results: Results) -> Picture:
    """Each trial's objective by its number, and the best one up to there.

    Raises:
        Absent: no trial is complete.
    """
    ranked = ranked_trials(results)
    order = np.argsort(ranked.numbers)
    numbers, running = ranked.numbers[order], ranked.target.best_so_far(ranked.values[order])
    better = np.flatnonzero(np.r_[True, running[1:] != running[:-1]])
    steps = np.r_[better, len(running) - 1]
    last = int(results.trials["number"].max())
    places, texts = dots_with_texts(ranked, results)
    drawn = figure(
        380,
        xaxis={
            "title": {"text": "trial"}, "range": _with_margin(last), "showgrid": False,
        },
        yaxis=value_axis(ranked.values, ranked.target.label, falls=ranked.target.falls),
    )  # fmt: skip
    drawn.add_trace(
        go.Scatter(
            x=packed(ranked.numbers[places]), y=packed(ranked.values[places]), mode="markers",
            marker={"color": GREY, "size": 5, "opacity": 0.7}, name="trials",
            hovertext=texts, hoverinfo="text",
        )
    )  # fmt: skip
    drawn.add_trace(
        go.Scatter(
            x=packed(np.r_[numbers[steps], last]), y=packed(np.r_[running[steps], running[-1]]),
            mode="lines", line={"color": BLUE, "width": 2.5, "shape": "hv"}, name="best so far",
            hovertemplate=f"best {plain(ranked.target.name)} up to trial %{{x}}: %{{y:.4g}}"
            "<extra></extra>",
        )
    )  # fmt: skip
    drawn.add_trace(best_mark(ranked, int(ranked.numbers[0]), texts[0]))
    return Picture(
        "best-so-far",
        "Best so far",
        drawn,
        _words(ranked, numbers[better], running[better], len(results.trials))
        + thinned_words(len(ranked), len(places))
        + outside_words(ranked),
    )


def best_mark(ranked: Ranked, x: float, text: str) -> go.Scatter:
    """A star at the best trial."""
    return go.Scatter(
        x=[x], y=[float(ranked.values[0])], mode="markers", name="best trial",
        marker={"color": ORANGE, "size": 13, "symbol": "star"}, hovertext=[text],
        hoverinfo="text",
    )  # fmt: skip


def dots_with_texts(ranked: Ranked, results: Results) -> tuple[NDArray[np.int64], list[str]]:
    """The places of the trials to draw, and their texts: as many as a light figure can have."""
    places = chosen(len(ranked), _MOST_DOTS)
    names = [scale.name for scale in scales(results)]
    return places, trial_texts(ranked, names, places, _MOST_TEXT)


def _with_margin(last: int) -> list[float]:
    margin = max(0.5, 0.015 * last)
    return [-margin, last + margin]


def _words(ranked: Ranked, at: NDArray[Any], best: NDArray[Any], asked: int) -> str:
    name, total = ranked.target.name, len(ranked)
    words = f"The best {name} of {count(total, 'complete trial')} is {number(best[-1])}, of trial "
    words += f"{at[-1]}."
    if len(at) > 1 and asked > 1:
        late = asked - 1 - int(at[-1])
        words += f" It took {count(len(at) - 1, 'improvement')} on the first one"
        words += f"; the last {count(late, 'trial')} brought none." if late else "."
    return words
