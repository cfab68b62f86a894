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
        80 + 36 * len(bars),
        xaxis={"title": {"text": "trials"}, "rangemode": "tozero", "tickformat": ","},
        yaxis={
            "autorange": "reversed", "showgrid": False, "ticklabelstandoff": 6,
            "tickvals": [*range(len(bars))],
            "ticktext": [state or "reason" for state, *_ in bars],
        },
        bargap=0.35,
    )  # fmt: skip
    drawn.add_trace(
        go.Bar(
            x=[n for _, n, *_ in bars], y=[*range(len(bars))], orientation="h",
            marker={
                "color": [colour for _, _, colour, _ in bars],
                "opacity": [0.6 if error else 1 for *_, error in bars],
            },
            text=[f"{n:,}  {plain(error)}" for _, n, _, error in bars], textposition="auto",
            hovertext=[plain(error) or state for state, *_, error in bars], hoverinfo="text+x",
            showlegend=False,
        )
    )  # fmt: skip
    return Picture("states", "States of the trials", drawn, _words(counts, reasons))


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
