"""Where the time of a study went."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.text import count, number, percent
from xortune.report.plots.theme import BLUE, COLOURS, ORANGE, figure
from xortune.report.results import Results
from xortune.run_time import RunTime

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
        legend={"traceorder": "normal"},
        bargap=0.35,
        xaxis={"title": {"text": "seconds"}, "range": [0, 1.12 * _longest(results)]},
        yaxis={
            "autorange": "reversed", "showgrid": False, "ticklabelstandoff": 6,
            "categoryorder": "array", "categoryarray": labels,
        },
    )  # fmt: skip
    for trace in _of_one_run(runs[0]) if len(runs) == 1 else _of_runs(runs):
        drawn.add_trace(trace)
    return Picture("time", "Where the time went", drawn, _words(results))


def _of_one_run(run: RunTime) -> list[go.Bar]:
    """The parts of one run, in a colour for the driver's and one for those of the workers."""
    halves = (
        ("elapsed", ORANGE, (_PARTS[0], *_DRIVER)),
        ("added up over the workers", BLUE, _WORKERS),
    )
    return [
        go.Bar(
            x=[getattr(run, name) for name, _ in parts], y=[label for _, label in parts],
            orientation="h", name=whose, marker={"color": colour},
            text=[number(getattr(run, name)) for name, _ in parts], textposition="outside",
            cliponaxis=False, hovertemplate="%{y}: %{x:.3g} s<extra></extra>",
        )
        for whose, colour, parts in halves
    ]  # fmt: skip


def _of_runs(runs: Sequence[RunTime]) -> list[go.Bar]:
    """The parts of several runs, in a colour for each run."""
    traces = []
    for place, group in enumerate(_groups(len(runs))):
        label = f"run {group[0] + 1}" if len(group) == 1 else f"{len(group)} later runs"
        traces.append(
            go.Bar(
                x=[sum(getattr(runs[i], name) for i in group) for name, _ in _PARTS],
                y=[label for _, label in _PARTS], orientation="h", name=label,
                marker={"color": COLOURS[place]},
                hovertemplate=f"%{{y}}, {label}: %{{x:.3g}} s<extra></extra>",
            )
        )  # fmt: skip
    return traces


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
