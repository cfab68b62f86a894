"""The importance of the parameters as a picture."""

from __future__ import annotations

import plotly.graph_objects as go

from xortune.report.plots.ped_anova import (
    MOST_TRIALS,
    Importance,
    ended_trials,
    importances,
    measures,
)
from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.ranked import Ranked
from xortune.report.plots.scales import Scale
from xortune.report.plots.text import brief, listed, percent, plain
from xortune.report.plots.theme import BLUE, GREY, faded, figure
from xortune.report.results import Results

_MOST_NAMED = 8  # parameters in a sentence
MOST_SHOWN = 24  # parameters in one picture


def most_important(results: Results, varying: list[Scale]) -> list[Scale]:
    """As many parameters as a picture has room for: those that matter most, in the spec's order."""
    if len(varying) <= MOST_SHOWN:
        return varying
    try:
        measured = measures(results)
    except Absent:
        return varying[:MOST_SHOWN]
    names = sorted(measured, key=lambda name: -measured[name])[:MOST_SHOWN]
    return [scale for scale in varying if scale.name in names]


def shown_words(varying: list[Scale], drawn: list[Scale]) -> str:
    """A sentence on the parameters that are not drawn, with a space before it."""
    if len(drawn) == len(varying):
        return ""
    return f" Of {len(varying)} parameters these are the {len(drawn)} that matter most."


def importance(results: Results) -> Picture:
    """A bar for each parameter, with what chance alone would give.

    Raises:
        Absent: as `importances`.
    """
    all_of_them = importances(results)
    found = all_of_them[:MOST_SHOWN]
    names = [plain(one.name) for one in found]
    longest = max(max(one.share, one.chance) for one in found)
    drawn = figure(
        90 + 34 * len(found),
        xaxis={
            "title": {"text": "importance"}, "tickformat": ".0%", "range": [0, 1.2 * longest],
        },
        yaxis={"autorange": "reversed", "showgrid": False, "ticklabelstandoff": 6},
        bargap=0.35,
    )  # fmt: skip
    drawn.add_trace(
        go.Bar(
            x=[one.share for one in found], y=names, orientation="h", name="importance",
            marker={"color": [BLUE if one.is_clear else faded(BLUE, 0.45) for one in found]},
            hovertemplate="%{y}: %{x:.1%}<extra></extra>", showlegend=False,
        )
    )  # fmt: skip
    drawn.add_trace(
        go.Scatter(
            x=[one.chance for one in found], y=names, mode="markers", name="the most by chance",
            marker={"symbol": "line-ns-open", "size": 18, "color": GREY, "line": {"width": 2}},
            hovertemplate="chance alone gives %{y} up to %{x:.1%}<extra></extra>",
        )
    )  # fmt: skip
    # Beyond the bar and the line of chance, which would otherwise cross the label.
    drawn.add_trace(
        go.Scatter(
            x=[max(one.share, one.chance) for one in found], y=names, mode="text",
            text=[f" {percent(one.share)}" for one in found], textposition="middle right",
            cliponaxis=False, hoverinfo="skip", showlegend=False, name="shares",
        )
    )  # fmt: skip
    words = _words(results, all_of_them, ended_trials(results))
    return Picture("importance", "Importance of the parameters", drawn, words)


def _words(results: Results, found: list[Importance], ended: Ranked) -> str:
    clear = [f"{brief(one.name)} {percent(one.share)}" for one in found if one.is_clear]
    others = [brief(one.name) for one in found if not one.is_clear]
    apart = "what sets the best tenth of the trials apart from all of them (PED-ANOVA)"
    if not clear:
        words = f"No parameter has more to do with {apart} than chance alone would give."
    else:
        words = f"The shares in {apart}: {listed(clear)}."
    if clear and others:
        verb = "has" if len(others) == 1 else "have"
        named = listed(others) if len(others) <= _MOST_NAMED else f"The other {len(others)}"
        words += f" {named} {verb} no more than chance alone would give."
    seed = results.spec.seed
    if seed is not None and any(one.name == seed and one.is_clear for one in found):
        words += f" A seed has no better values, so what {brief(seed)} has is luck."
    if (ended.frame["state"] == "PRUNED").any():
        words += " Pruned trials count as worse than complete ones."
    if len(ended) > MOST_TRIALS:
        words += f" From {MOST_TRIALS:,} of the {len(ended):,} trials."
    return words
