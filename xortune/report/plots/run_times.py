"""Where the time of a study went."""

from __future__ import annotations

import plotly.graph_objects as go

from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.text import count, number, percent
from xortune.report.plots.theme import BLUE, COLOURS, ORANGE, figure
from xortune.report.results import Results

# The parts of a `RunTime`, as reports call them, and who spends them.
_DRIVER = (("start_up", "start"), ("sampler", "ask"), ("writing", "write"))
_WORKERS = (("training", "train"), ("queue", "queue"), ("idle", "idle"))
_PARTS = (("wall", "time"), *_DRIVER, *_WORKERS)
_MOST_RUNS = 6


def time_spent(results: Results) -> Picture:
    """A bar for each part of the time, stacked by run.

    Raises:
        Absent: no run has ended yet.
    """
    runs = results.runs
    if not runs:
        raise Absent("no run has ended yet")
    labels = [label for _, label in _PARTS]
    drawn = figure(
        300,
        barmode="stack",
        margin={"t": 40 if len(runs) > 1 else 8},
        bargap=0.35,
        xaxis={"title": {"text": "seconds"}, "range": [0, 1.12 * _longest(results)]},
        yaxis={"autorange": "reversed", "showgrid": False, "ticklabelstandoff": 6},
    )
    colours = [ORANGE] * (1 + len(_DRIVER)) + [BLUE] * len(_WORKERS)
    for place, group in enumerate(_groups(len(runs))):
        spent = [sum(getattr(runs[i], name) for i in group) for name, _ in _PARTS]
        label = f"run {group[0] + 1}" if len(group) == 1 else f"{len(group)} later runs"
        many = len(runs) > 1
        drawn.add_trace(
            go.Bar(
                x=spent, y=labels, orientation="h", name=label, showlegend=many,
                marker={"color": COLOURS[place] if many else colours},
                text=None if many else [number(value) for value in spent],
                textposition="outside", cliponaxis=False,
                hovertemplate=f"%{{y}}, {label}: %{{x:.3g}} s<extra></extra>",
            )
        )  # fmt: skip
    return Picture("time", "Where the time went", drawn, _words(results))


def _groups(runs: int) -> list[range]:
    """Runs that are drawn together: each alone, but for those after the sixth."""
    alone = [range(i, i + 1) for i in range(min(runs, _MOST_RUNS))]
    return alone if runs <= _MOST_RUNS else [*alone, range(_MOST_RUNS, runs)]


def _longest(results: Results) -> float:
    longest = max(sum(getattr(run, name) for run in results.runs) for name, _ in _PARTS)
    return longest or 1.0


def _words(results: Results) -> str:
    runs = results.runs
    spent = {name: sum(getattr(run, name) for run in runs) for name, _ in _PARTS}
    words = f"{count(len(runs), 'run')} took {number(spent['wall'])} s, from beginning to end."
    longest = max(_DRIVER, key=lambda part: spent[part[0]])
    if spent["wall"] > 0:
        share = percent(min(1.0, spent[longest[0]] / spent["wall"]))
        names = {"start": "starting up", "ask": "asking the sampler", "write": "writing"}
        words += f" {share} of that went into {names[longest[1]]}."
    train, room = spent["training"], spent["training"] + spent["idle"]
    words += f" Added up over the workers, training took {number(train)} s"
    return words + (f", {percent(train / room)} of the time that they were there." if room else ".")
