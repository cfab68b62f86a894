"""All parameters of each trial at once, as a line that crosses an axis for each of them.

plotly's own parallel coordinates have no logarithms, draw no text under the pointer, and neither
print nor appear where a page forbids `eval`. These are plain lines; the axes lie, so that there is
room for many on a narrow screen.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from xortune.report.plots.parameter_importance import most_important, shown_words
from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.ranked import (
    Floats,
    Ranked,
    chosen,
    packed,
    ranked_trials,
    spans_decades,
    thinned_words,
    value_axis,
)
from xortune.report.plots.scales import Scale, scales, scattered, ticks_between
from xortune.report.plots.text import brief, count, listed, number, plain, shown
from xortune.report.plots.theme import BLUE, GREY, ORANGE, faded, figure
from xortune.report.results import Results

_ROW = 62  # pixels
_MOST_LINES, _MOST_POINTS = 600, 6000
_MOST_TEXTS = 2500  # below the pointer; beyond the best lines just the trial's number
_NONE = -0.06  # where a trial crosses an axis that it has no value on
_FEWEST = 10  # trials of a tenth about which something is said
_FEWEST_PARTED = 20  # trials that are told apart by their rank


class _Row(NamedTuple):
    """One axis."""

    label: str
    shares: Floats  # where the trials cross it, from 0 to 1
    texts: list[str]  # likewise, what is there
    ticks: list[tuple[float, str]]


class _Part(NamedTuple):
    """Trials whose lines look alike."""

    label: str
    first: float  # their ranks, as shares of all trials
    last: float
    colour: str
    width: float


_PARTS = (
    _Part("worse half", 0.5, 1.0, faded(GREY, 0.25), 0.8),
    _Part("better half", 0.25, 0.5, faded(GREY, 0.6), 0.9),
    _Part("best quarter", 0.1, 0.25, faded(BLUE, 0.5), 1.1),
    _Part("best tenth", 0.0, 0.1, BLUE, 1.4),
)


def parallel(results: Results) -> Picture:
    """A line for each trial over the axes of all parameters and of the objective.

    Raises:
        Absent: no trial is complete, or fewer than two parameters vary.
    """
    ranked = ranked_trials(results)
    all_of_them = scales(results)
    varying = most_important(results, all_of_them)
    if len(varying) < 2:
        raise Absent("fewer than two parameters vary")
    room = _MOST_POINTS // (len(varying) + 2)
    places = chosen(len(ranked), min(_MOST_LINES, room))
    rows = [_objective_row(ranked, places), *(_row(ranked, s, places) for s in varying)]
    drawn = figure(_ROW * len(rows) + 60)
    drawn.update_xaxes(visible=False, range=[_NONE - 0.04, 1.04], fixedrange=True)
    drawn.update_yaxes(
        tickvals=[*range(len(rows))], ticktext=[row.label for row in rows], zeroline=False,
        range=[len(rows) - 0.6, -0.45], fixedrange=True, ticklabelstandoff=6,
    )  # fmt: skip
    for trace in _lines(ranked, rows, places):
        drawn.add_trace(trace)
    _add_ticks(drawn, rows)
    drawn.update_layout(legend={"traceorder": "reversed"})
    words = _words(ranked, varying, places) + shown_words(all_of_them, varying)
    return Picture("parallel", "All parameters at once", drawn, words)


def _objective_row(ranked: Ranked, places: NDArray[np.int64]) -> _Row:
    values = ranked.values
    low, high = float(values.min()), float(values.max())
    is_log = spans_decades(values)
    if not is_log and "range" in (axis := value_axis(values, "", falls=ranked.target.falls)):
        low, high = axis["range"]
    if low == high:
        low, high = low - 0.5, high + 0.5
    ends = np.array([low, high])
    drawn = values[places]
    transform = np.log if is_log else np.asarray
    shares = (transform(drawn) - transform(ends)[0]) / np.ptp(transform(ends))
    ticks = [
        (float((transform(np.array([v]))[0] - transform(ends)[0]) / np.ptp(transform(ends))), text)
        for v, text in ticks_between(low, high, is_log=is_log)
    ]
    label = ranked.target.label.replace(" (", "<br>(")
    return _Row(label, np.clip(shares, 0, 1), [number(v) for v in drawn], ticks)


def _row(ranked: Ranked, scale: Scale, places: NDArray[np.int64]) -> _Row:
    at = scale.places(ranked.frame)[places]
    shares = scale.fractions(at)
    ticks = [(float(scale.fractions(np.array([place]))[0]), text) for place, text in scale.ticks()]
    if scale.kind == "choice":
        labels = scale.labels
        texts = [labels[int(place)] for place in at]
        shares = shares + scattered(ranked.numbers[places], 0.4 / len(labels))
        return _Row(plain(scale.name), shares, texts, ticks)
    there = np.isfinite(at)
    texts = [number(value) if value == value else "none" for value in at.tolist()]
    if not there.all():
        ticks = [(_NONE, "none"), *ticks]
    return _Row(plain(scale.name), np.where(there, shares, _NONE), texts, ticks)


def _lines(ranked: Ranked, rows: list[_Row], places: NDArray[np.int64]) -> list[go.Scatter]:
    total = len(ranked)
    traces = []
    for part in _PARTS if total >= _FEWEST_PARTED else (_Part("trials", 0.0, 1.0, BLUE, 1.2),):
        first, last = round(part.first * total), round(part.last * total)
        mine = np.flatnonzero((places >= max(first, 1)) & (places < last))
        style = {"color": part.colour, "width": part.width}
        # Drawn last and so on top: the best of them.
        traces.append(_trace(ranked, rows, places, mine[::-1], name=part.label, line=style))
    best = np.arange(1)
    line = {"color": ORANGE, "width": 3}
    return [*traces, _trace(ranked, rows, places, best, name="best trial", line=line)]


def _trace(
    ranked: Ranked,
    rows: list[_Row],
    places: NDArray[np.int64],
    mine: NDArray[np.int64],
    **style: Any,
) -> go.Scatter:
    """The lines of some trials as one, with gaps between them."""
    shares = np.array([row.shares[mine] for row in rows])  # (rows, lines)
    gap = np.full((1, len(mine)), np.nan)
    down = np.concatenate([np.arange(len(rows), dtype=np.float64), [np.nan]])
    known = _MOST_TEXTS // len(rows)
    texts = [
        text
        for place in mine.tolist()
        for text in (*((f"{r.label} {r.texts[place]}" if place < known else "") for r in rows), "")
    ]
    return go.Scatter(
        x=packed(np.concatenate([shares, gap]).T.reshape(-1)), y=packed(np.tile(down, len(mine))),
        mode="lines", customdata=packed(np.repeat(ranked.numbers[places][mine], len(rows) + 1)),
        text=[text.replace("<br>(", " (") for text in texts],
        hovertemplate="trial %{customdata}<br>%{text}<extra></extra>", **style,
    )  # fmt: skip


def _add_ticks(drawn: go.Figure, rows: list[_Row]) -> None:
    """Marks and labels below each axis."""
    x = [share for row in rows for share, _ in row.ticks]
    y = [place for place, row in enumerate(rows) for _ in row.ticks]
    drawn.add_trace(
        go.Scatter(
            x=x, y=y, mode="markers", showlegend=False, hoverinfo="skip",
            marker={"symbol": "line-ns-open", "size": 8, "color": GREY, "line": {"width": 1}},
        )
    )  # fmt: skip
    drawn.update_layout(
        annotations=[
            {
                "x": share, "y": place, "text": text, "yanchor": "top", "yshift": -4,
                "font": {"size": 11, "shadow": "auto"}, "showarrow": False,
            }
            for place, row in enumerate(rows)
            for share, text in row.ticks
        ]
    )  # fmt: skip


def _words(ranked: Ranked, varying: list[Scale], places: NDArray[np.int64]) -> str:
    total = len(ranked)
    words = f"{count(total, 'trial')}, each a line over {ranked.target.name} and "
    words += f"{count(len(varying), 'parameter')}."
    tenth = round(0.1 * total)
    if tenth >= _FEWEST:
        ordered = (scale for scale in varying if not scale.parameter.is_seed)
        ends = [text for scale in ordered if (text := _narrowed(ranked, scale, tenth))]
        words += f" The best tenth ({count(tenth, 'trial')})"
        words += f" has {listed(ends)}." if ends else " has values of every kind."
    return words + thinned_words(total, len(places))


def _narrowed(ranked: Ranked, scale: Scale, best: int) -> str:
    """What values of a parameter the best trials have, if less than half of its axis."""
    at = scale.places(ranked.frame)[:best]
    at = at[np.isfinite(at)]
    if not len(at):
        return ""
    name = brief(scale.name)
    if scale.kind == "choice":
        used = np.unique(at).astype(int)
        return f"{name} {shown(scale.held[used[0]])} alone" if len(used) == 1 else ""
    low, high = float(at.min()), float(at.max())
    if np.ptp(scale.fractions(np.array([low, high]))) > 0.5:
        return ""
    return f"{name} from {number(low)} to {number(high)}"
