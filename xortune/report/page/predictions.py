"""The truth against the prediction on rows that no search has seen."""

from __future__ import annotations

from collections import Counter
from typing import Any

import plotly.graph_objects as go

from xortune.escaping import visible
from xortune.report.plots import Picture
from xortune.report.plots.text import count, number, percent, plain
from xortune.report.plots.theme import BLUE, GREY, figure
from xortune.trial import Answers

NAME = "predictions"
_MOST = 4000  # dots of a figure
_TITLE = "Prediction and truth"
_WRITTEN = 12  # classes up to which each cell has its number


def predictions(trial: int, answers: Answers) -> Picture:
    """A dot for each row, or for classes how many rows of each are taken for which.

    Args:
        trial: the number of the trial that answers.
        answers: its answers for the test rows.
    """
    return _matrix(trial, answers) if answers.classes else _dots(trial, answers)


def _dots(trial: int, answers: Answers) -> Picture:
    truths, found = answers.truths, answers.answers
    step = max(1, -(-len(truths) // _MOST))
    ends = [min((*truths, *found), default=0.0), max((*truths, *found), default=1.0)]
    name = plain(answers.target)
    # A square, in which the diagonal is one.
    same = {"range": _around(ends), "constrain": "domain"}
    drawn = figure(
        460,
        xaxis={**same, "title": {"text": f"{name}: truth"}, "constraintoward": "left"},
        yaxis={**same, "title": {"text": f"{name}: prediction"}, "scaleanchor": "x"},
    )
    drawn.add_trace(
        go.Scatter(
            x=ends, y=ends, mode="lines", line={"color": GREY, "width": 1.5, "dash": "dash"},
            name="prediction = truth", hoverinfo="skip",
        )
    )  # fmt: skip
    drawn.add_trace(
        go.Scatter(
            x=truths[::step], y=found[::step], mode="markers", name="test rows",
            marker={"color": BLUE, "size": 7, "opacity": 0.65},
            hovertemplate="truth %{x:.4g}, prediction %{y:.4g}<extra></extra>",
        )
    )  # fmt: skip
    return Picture(NAME, _TITLE, drawn, _words_of_dots(trial, answers, step))


def _around(ends: list[float]) -> list[float]:
    """A range with some room at its ends."""
    low, high = ends
    room = 0.05 * (high - low) or 1.0
    return [low - room, high + room]


def _words_of_dots(trial: int, answers: Answers, step: int) -> str:
    pairs = [*zip(answers.truths, answers.answers)]
    if not pairs:
        return f"There are no test rows for trial {trial}."
    errors = sorted(abs(answer - truth) for truth, answer in pairs)
    above = sum(answer > truth for truth, answer in pairs)
    words = (
        f"Trial {trial} on {count(len(pairs), 'test row')}: half of its predictions of "
        f"{visible(answers.target)} are less than {number(errors[len(errors) // 2])} away from the "
        f"truth, the furthest {number(errors[-1])}; {percent(above / len(pairs))} are too high."
    )
    return words if step == 1 else f"{words} One dot in {step} is drawn."


def _matrix(trial: int, answers: Answers) -> Picture:
    pairs = Counter(zip(map(int, answers.truths), map(int, answers.answers)))
    places = range(len(answers.classes))
    counts = [[pairs[truth, answer] for answer in places] for truth in places]
    names = [plain(name) for name in answers.classes]
    name = plain(answers.target)
    axis = {"type": "category", "showgrid": False, "categoryorder": "array"}
    drawn = figure(
        max(340, min(140 + 44 * len(names), 900)),
        xaxis={**axis, "title": {"text": f"{name}: prediction"}, "categoryarray": names},
        yaxis={
            **axis, "title": {"text": f"{name}: truth"}, "categoryarray": names,
            "autorange": "reversed",
        },
    )  # fmt: skip
    written: dict[str, Any] = {"texttemplate": "%{z}"} if len(names) <= _WRITTEN else {}
    drawn.add_trace(
        go.Heatmap(
            x=names, y=names, z=counts, coloraxis="coloraxis", xgap=2, ygap=2,
            hovertemplate="truth %{y}, prediction %{x}: %{z} rows<extra></extra>", **written,
        )
    )  # fmt: skip
    drawn.update_layout(coloraxis={"showscale": not written, "colorbar": {"title": "rows"}})
    return Picture(NAME, _TITLE, drawn, _words_of_matrix(trial, answers, pairs))


def _words_of_matrix(trial: int, answers: Answers, pairs: Counter[tuple[int, int]]) -> str:
    total = len(answers.truths)
    if not total:
        return f"There are no test rows for trial {trial}."
    right = sum(found for (truth, answer), found in pairs.items() if truth == answer)
    words = (
        f"Trial {trial} on {count(total, 'test row')}: {right:,} are right, "
        f"{percent(right / total)}."
    )
    wrong = [(found, pair) for pair, found in sorted(pairs.items()) if pair[0] != pair[1]]
    if not wrong:
        return words
    most, (truth, answer) = max(wrong, key=lambda one: one[0])
    first, second = (visible(answers.classes[place]) for place in (truth, answer))
    return f"{words} The most frequent mistake: {count(most, 'row')} of {first} taken for {second}."
