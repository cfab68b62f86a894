"""The states of the trials, and why trials failed."""

from __future__ import annotations

from collections import Counter

import plotly.graph_objects as go

from xortune.errors import without_values
from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.text import brief, count, listed, percent, plain
from xortune.report.plots.theme import BLUE, GREEN, GREY, PINK, figure
from xortune.report.results import Results
from xortune.trial import STATES

_MOST_REASONS = 6
_ROW = 46  # pixels
_COLOURS = {"COMPLETE": BLUE, "PRUNED": GREEN, "FAIL": PINK}


def states(results: Results) -> Picture:
    """A bar for each state, and for failed trials one for each reason.

    Raises:
        Absent: all trials are complete.
    """
    trials = results.trials
    counts = Counter(trials["state"].tolist())
    if set(counts) <= {"COMPLETE"}:
        raise Absent("all its trials are complete" if counts else "it has no trial yet")
    bars: list[tuple[str, int, str, str]] = [
        (state, counts[state], _COLOURS.get(state, GREY), "") for state in STATES if counts[state]
    ]
    failed = trials.loc[trials["state"] == "FAIL", "error"].dropna().tolist()
    reasons = _reasons(failed)
    place = next((i for i, bar in enumerate(bars) if bar[0] == "FAIL"), -1) + 1
    bars[place:place] = [("", n, PINK, error) for error, n in reasons]
    drawn = figure(
        _ROW * len(bars) + 60,
        xaxis={"title": {"text": "trials"}, "rangemode": "tozero"},
        yaxis={
            "range": [len(bars) - 0.6, -0.75], "showgrid": False, "zeroline": False,
            "showticklabels": False, "fixedrange": True,
        },
        margin={"t": 8},
    )  # fmt: skip
    places, counted = [*range(len(bars))], [n for _, n, *_ in bars]
    names = [plain(error) or state for state, *_, error in bars]
    drawn.add_trace(
        go.Bar(
            x=counted, y=places, orientation="h", width=0.4, showlegend=False, hovertext=names,
            hoverinfo="text+x", marker={
                "color": [colour for _, _, colour, _ in bars],
                "opacity": [0.6 if error else 1 for *_, error in bars],
            },
        )
    )  # fmt: skip
    _add_names(drawn, [f"{n:,}  {name}" for n, name in zip(counted, names)])
    return Picture("states", "States of the trials", drawn, _words(counts, reasons))


def _add_names(drawn: go.Figure, texts: list[str]) -> None:
    """Names bars above them, where there is room for a long reason on any screen."""
    drawn.update_layout(
        annotations=[
            {
                "x": 0, "xref": "paper", "xanchor": "left", "y": place, "yshift": _ROW * 0.2,
                "yanchor": "bottom", "text": text,
            }
            for place, text in enumerate(texts)
        ]
    )  # fmt: skip


def _reasons(errors: list[str]) -> list[tuple[str, int]]:
    """The most frequent errors, each by its first one; errors that differ in values are one."""
    kinds = [*map(without_values, errors)]
    firsts = dict(zip(reversed(kinds), reversed(errors)))
    common = Counter(kinds).most_common()
    found = [(firsts[kind], n) for kind, n in common[:_MOST_REASONS]]
    rest = sum(n for _, n in common[_MOST_REASONS:])
    return [*found, ("other reasons", rest)] if rest else found


def _words(counts: Counter[str], reasons: list[tuple[str, int]]) -> str:
    total = sum(counts.values())
    parts = [f"{counts[state]:,} {state}" for state in STATES if counts[state]]
    words = f"{count(total, 'trial')}: {listed(parts)}"
    if not counts["FAIL"]:
        return f"{words}."
    words += f"; {percent(counts['FAIL'] / total)} failed."
    if reasons:
        error, n = reasons[0]
        words += f" The most frequent reason, of {count(n, 'trial')}: {brief(error)}."
    return words
