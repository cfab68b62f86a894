"""The trainings of the best and of the confirmed trials: how far luck goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.ranked import Floats, Target, packed, target_of, value_axis
from xortune.report.plots.scales import scattered
from xortune.report.plots.text import count, listed, number, percent
from xortune.report.plots.theme import BLUE, GREY, ORANGE, figure
from xortune.report.recommendation import AGGREGATE_WORDS
from xortune.report.results import Results
from xortune.report.wilson import wilson_interval
from xortune.spec import ProblemSpec

if TYPE_CHECKING:
    import pandas as pd

_MOST = 12  # trials
_ROW = 44  # pixels


class Part(NamedTuple):
    """The trainings of one trial in the search, or in its confirmation."""

    values: Floats  # their objectives, without those that failed
    seeds: list[int | None]  # likewise
    failed: int
    solved: int | None  # how many reach the goal; None for a problem without one

    @property
    def trainings(self) -> int:
        return len(self.values) + self.failed


class Verdict(NamedTuple):
    """What several trainings of a trial come to."""

    value: float  # their objectives as one number
    trainings: int
    failed: int
    solved: int | None
    fresh: bool  # whether they are those of the confirmation that decided


class Trained(NamedTuple):
    """One trial with all its trainings."""

    number: int
    search: Part
    confirmation: Part
    verdict: Verdict

    @property
    def is_judged(self) -> bool:
        """Whether its verdict is of later seeds than those by which it was chosen."""
        return self.verdict.fresh and self.confirmation.trainings > self.verdict.trainings


def replicates(results: Results) -> Picture:
    """A row for each trial, with a dot for each of its trainings, and the share that is solved.

    Raises:
        Absent: no trial was trained several times.
    """
    target = target_of(results.spec)
    trained = _trained(results, target)
    if not trained:
        raise Absent("no trial was trained on several seeds")
    word = AGGREGATE_WORDS.get(results.described.get("aggregate", ""), "mean")
    solved = results.spec.solved is not None
    drawn = figure(_ROW * len(trained) + 130)
    make_subplots(
        rows=1, cols=2 if solved else 1, figure=drawn, shared_yaxes=True, horizontal_spacing=0.05,
        column_widths=[0.72, 0.28] if solved else None,
    )  # fmt: skip
    values = np.concatenate([p.values for t in trained for p in (t.search, t.confirmation)])
    for trace in (*_dots(trained, "confirmation"), *_dots(trained, "search")):
        drawn.add_trace(trace, row=1, col=1)
    drawn.add_trace(_verdicts(trained, word), row=1, col=1)
    drawn.update_xaxes(**value_axis(values, target.label, falls=target.falls), row=1, col=1)
    if solved:
        drawn.add_trace(_shares(trained), row=1, col=2)
        drawn.update_xaxes(
            range=[-0.04, 1.08], tickformat=".0%", title={"text": "solved"}, tickvals=[0, 0.5, 1],
            row=1, col=2,
        )  # fmt: skip
    drawn.update_yaxes(
        tickvals=[*range(len(trained))], ticktext=[_label(results, one) for one in trained],
        range=[len(trained) - 0.4, -0.6], showgrid=False, zeroline=False, fixedrange=True,
    )  # fmt: skip
    words = _words(results, target, trained[0], word) + _luck_words(results, trained)
    words += _race_words(results, target, trained)
    return Picture("replicates", "How far luck goes", drawn, words)


def _trained(results: Results, target: Target) -> list[Trained]:
    """The trials with several trainings, in the order of the results; rank 1 among them."""
    confirmation = results.summary.get("confirmation") or {"trials": []}
    entries = {entry["number"]: entry for entry in confirmation["trials"]}
    table = results.trials.set_index("number")[target.name]
    found = []
    for number_, frame in results.replicates.items():
        search, confirmed = (
            _part(results.spec, target, frame[frame["part"] == part])
            for part in ("search", "confirmation")
        )
        verdict = _verdict(entries.get(number_), search, float(table.loc[number_]))
        if len(frame) > 1 and np.isfinite(verdict.value):
            found.append(Trained(number_, search, confirmed, verdict))
    first = [one for one in found[_MOST:] if one.number == results.summary.get("first")]
    return [*found[: _MOST - len(first)], *first]


def _part(spec: ProblemSpec, target: Target, frame: pd.DataFrame) -> Part:
    values = frame[target.name].to_numpy(np.float64)
    there = (frame["state"] == "COMPLETE").to_numpy(bool) & np.isfinite(values)
    solved = None
    if spec.solved is not None:
        reached = frame[spec.solved.metric].to_numpy(np.float64)[there]
        solved = sum(spec.reaches(value) for value in reached.tolist())
    seeds = frame["seed"].astype(object)[there].tolist()
    seeds = [None if not isinstance(seed, int) else seed for seed in seeds]
    return Part(values[there], seeds, int(np.count_nonzero(~there)), solved)


def _verdict(entry: Mapping[str, Any] | None, search: Part, value: float) -> Verdict:
    if entry is None:
        return Verdict(value, search.trainings, search.failed, search.solved, fresh=False)
    value = np.nan if entry["value"] is None else entry["value"]
    return Verdict(value, entry["seeds"], entry["failed"], entry["solved"], fresh=True)


def _recommended(results: Results) -> int | None:
    found = results.summary.get("recommended")
    return found["number"] if found else None


def _label(results: Results, one: Trained) -> str:
    """A trial, and on how many seeds its verdict rests."""
    name = f"trial {one.number}"
    name = f"<b>{name}</b>" if one.number == _recommended(results) else name
    seeds = count(one.verdict.trainings, "later seed" if one.is_judged else "seed")
    return f"{name}<br>{seeds}"


def _dots(trained: list[Trained], part: str) -> list[go.Scatter]:
    parts: list[Part] = [getattr(one, part) for one in trained]
    x = np.concatenate([one.values for one in parts])
    if not len(x):
        return []
    rows = np.concatenate([np.full(len(one.values), float(i)) for i, one in enumerate(parts)])
    places = np.concatenate([np.arange(len(one.values)) for one in parts])
    seeds = [seed for one in parts for seed in one.seeds]
    named = None not in seeds
    seed = ", seed %{customdata}" if named else ""
    style: dict[str, Any] = {"color": BLUE, "opacity": 0.45, "size": 5}
    if part == "search":
        style = {"color": ORANGE, "opacity": 0.9, "size": 7, "symbol": "diamond"}
    return [
        go.Scatter(
            x=packed(x), y=packed(rows + scattered(places, 0.4)), mode="markers", marker=style,
            name="search" if part == "search" else "fresh seeds",
            customdata=packed(seeds) if named else None,
            hovertemplate="%{x:.4g}" + seed + "<extra></extra>",
        )
    ]  # fmt: skip


def _verdicts(trained: list[Trained], word: str) -> go.Scatter:
    return go.Scatter(
        x=packed([one.verdict.value for one in trained]), y=[*range(len(trained))], name=word,
        mode="markers", hovertemplate=f"{word} %{{x:.4g}}<extra></extra>",
        marker={"symbol": "line-ns-open", "size": 22, "color": GREY, "line": {"width": 3}},
    )  # fmt: skip


def _shares(trained: list[Trained]) -> go.Scatter:
    verdicts = [one.verdict for one in trained]
    shares = [(one.solved or 0) / max(1, one.trainings) for one in verdicts]
    ends = [wilson_interval(one.solved or 0, one.trainings) for one in verdicts]
    return go.Scatter(
        x=packed(shares), y=[*range(len(trained))], mode="markers", name="share solved",
        marker={"color": BLUE, "size": 8}, showlegend=False,
        customdata=[[low, high, one.trainings] for (low, high), one in zip(ends, verdicts)],
        error_x={
            "type": "data", "symmetric": False, "thickness": 1.5, "width": 4, "color": BLUE,
            "array": [high - share for share, (_, high) in zip(shares, ends)],
            "arrayminus": [share - low for share, (low, _) in zip(shares, ends)],
        },
        hovertemplate="%{x:.1%} of %{customdata[2]}, 95% interval %{customdata[0]:.1%} to "
        "%{customdata[1]:.1%}<extra></extra>",
    )  # fmt: skip


def _words(results: Results, target: Target, first: Trained, word: str) -> str:
    verdict = first.verdict
    recommended = ", the recommended one," if first.number == _recommended(results) else ""
    seeds = count(verdict.trainings, "fresh seed" if verdict.fresh else "seed")
    words = f"On {seeds} trial {first.number}{recommended} has a {word} {target.name} of "
    words += number(verdict.value)
    if verdict.solved is not None:
        low, high = wilson_interval(verdict.solved, verdict.trainings)
        share = percent(verdict.solved / verdict.trainings)
        words += f"; {share} of them are solved (95% interval {percent(low)} to {percent(high)})"
    words += f", and {count(verdict.failed, 'training')} failed" if verdict.failed else ""
    values = np.concatenate([first.search.values, first.confirmation.values])
    least, most = number(float(values.min())), number(float(values.max()))
    those = "Its trainings"
    if len(values) > verdict.trainings:
        those = f"All {len(values):,} of its trainings, with those by which it was chosen,"
    return f"{words}. {those} reach from {least} to {most}."


def _luck_words(results: Results, trained: list[Trained]) -> str:
    """What rank 1 owes to its seed, with a space before it; empty where nothing is known."""
    best = results.summary.get("first")
    one = next((one for one in trained if one.number == best and one.verdict.fresh), None)
    if one is None or not len(one.search.values):
        return ""
    before, after = number(float(one.search.values.mean())), number(one.verdict.value)
    return f" Rank 1, trial {best}, had {before} in the search, and has {after} on fresh seeds."


def _race_words(results: Results, target: Target, trained: list[Trained]) -> str:
    """Why trials that look better are not recommended, with a space before it; or empty."""
    used = next((one for one in trained if one.number == _recommended(results)), None)
    if used is None or not used.is_judged:
        return ""
    sign = 1 if target.falls else -1
    better = [
        str(one.number)
        for one in trained
        if one.verdict.fresh
        and not one.is_judged
        and sign * one.verdict.value < sign * used.verdict.value
    ]
    if not better:
        return ""
    those = f"Trial {better[0]} looks" if len(better) == 1 else f"Trials {listed(better)} look"
    verb = "was" if len(better) == 1 else "were"
    return (
        f" Trial {used.number} was judged on later seeds than those that chose it. {those} better "
        f"on the seeds that did the choosing, and {verb} not judged on later ones."
    )
