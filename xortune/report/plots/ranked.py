"""The ranked trials of a study as arrays, and the axis of their objective."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xortune.report.plots.picture import Absent
from xortune.report.plots.text import count, is_missing, number, plain
from xortune.report.results import Results
from xortune.spec import ProblemSpec

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
# Values that span this factor are drawn over their logarithm.
_DECADES = 100.0
# Values this many widths of the middle half away from it are left outside a linear axis.
_FENCE = 6.0
_MOST_NAMES = 10  # parameters below the pointer
_BREAK = 10  # letters that JSON adds to `<br>`


class Target(NamedTuple):
    """The objective by which the trials rank."""

    name: str  # the metric's
    falls: bool  # whether lower is better
    is_loss: bool  # whether it is the final loss

    @property
    def label(self) -> str:
        """For an axis."""
        return f"{plain(self.name)} (final loss)" if self.is_loss else plain(self.name)

    def best_so_far(self, values: Floats) -> Floats:
        running: Floats = (np.minimum if self.falls else np.maximum).accumulate(values)
        return running


@dataclass(frozen=True)
class Ranked:
    """The trials that have a rank and a finite objective, the best first."""

    target: Target
    frame: pd.DataFrame  # their rows
    numbers: NDArray[np.int64]
    values: Floats  # their objectives

    def __len__(self) -> int:
        return len(self.numbers)


def target_of(spec: ProblemSpec) -> Target:
    """The objective that decides the rank."""
    first = spec.objectives[0]
    return Target(first.metric, first.direction == "minimize", first.metric == spec.loss)


def ranked_trials(results: Results) -> Ranked:
    """The ranked trials.

    Raises:
        Absent: there is none.
    """
    target = target_of(results.spec)
    frame = results.trials
    values = frame[target.name].to_numpy(dtype=np.float64, na_value=np.nan)
    there = frame["rank"].notna().to_numpy() & np.isfinite(values)
    if not there.any():
        raise Absent("no trial is complete yet")
    frame = frame[there]
    return Ranked(target, frame, frame["number"].to_numpy(dtype=np.int64), values[there])


def spans_decades(values: Floats) -> bool:
    """Whether a logarithm shows values better than their own scale does."""
    return bool(len(values) and values.min() > 0 and values.max() / values.min() >= _DECADES)


def value_axis(values: Floats, title: str, *, falls: bool) -> dict[str, Any]:
    """A plotly axis for values: over the logarithm where they span decades.

    Otherwise a few values that are far worse than the others stay outside; see `outside`.

    Args:
        values: the objectives to draw.
        title: of the axis.
        falls: whether lower is better.
    """
    if spans_decades(values):
        return {"title": {"text": title}, **log_axis(values.min(), values.max())}
    axis = {"title": {"text": title}, "nticks": 7}
    inside = values[_inside(values, falls)]
    if len(inside) == len(values):
        return axis
    low, high = inside.min(), inside.max()
    margin = 0.04 * (high - low)
    return {**axis, "range": [float(low - margin), float(high + margin)]}


def log_axis(low: float, high: float) -> dict[str, Any]:
    """A plotly axis over the logarithm, with some six ticks: powers of ten, or also 2 and 5."""
    decades = math.log10(high) - math.log10(low)
    short = {"tickformat": "~e"} if low < 1e-5 or high >= 1e7 else {}
    return {"type": "log", "dtick": math.ceil(decades / 6) if decades >= 2 else "D2", **short}


def outside(values: Floats, *, falls: bool) -> int:
    """How many values lie outside the range of `value_axis`."""
    if spans_decades(values):
        return 0
    return int(np.count_nonzero(~_inside(values, falls)))


def _inside(values: Floats, falls: bool) -> NDArray[np.bool_]:
    """Which values are not far worse than the middle half of all."""
    first, third = np.quantile(values, (0.25, 0.75))
    spread = third - first
    if spread == 0 or not np.isfinite(spread):
        return np.full(len(values), True)
    near = values <= third + _FENCE * spread if falls else values >= first - _FENCE * spread
    return np.asarray(near, np.bool_)


def chosen(total: int, most: int, best: int = 100) -> NDArray[np.int64]:
    """The places of at most so many of the ranked trials: the best ones, and the rest evenly."""
    if total <= most:
        return np.arange(total)
    best = min(best, most // 2)
    rest = np.linspace(best, total - 1, most - best).round().astype(np.int64)
    return np.concatenate([np.arange(best), np.unique(rest)])


def packed(values: Any) -> NDArray[Any]:
    """Numbers in half the room where that keeps seven digits, for a lighter figure."""
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        small = array.size == 0 or np.abs(array).max() < 2**31
        return array.astype(np.int32 if small else np.float64)
    sizes = np.abs(array[np.isfinite(array) & (array != 0)])
    small = sizes.size == 0 or (sizes.max() < 1e38 and sizes.min() > 1e-37)
    return array.astype(np.float32 if small else np.float64)


def trial_texts(
    ranked: Ranked, names: Sequence[str], places: NDArray[np.int64], room: int
) -> list[str]:
    """What appears when the pointer is over a trial: its number, rank, objective and parameters.

    Args:
        ranked: the trials.
        names: of the parameters.
        places: of the trials to describe, the best first.
        room: letters for the parameters of all; trials after the best ones go without.
    """
    rows = ranked.frame.iloc[places]
    heads = zip(rows["number"], rows["rank"], ranked.values[places])
    name = plain(ranked.target.name)
    texts = [f"trial {n}, rank {r}<br>{name} {number(v)}" for n, r, v in heads]
    columns = [rows[one].tolist() for one in names[:_MOST_NAMES]]
    more = len(names) - len(columns)
    for place, values in enumerate(zip(*columns)):
        there = zip(names, values)
        lines = [f"<br>{plain(one)} {_cell(v)}" for one, v in there if not is_missing(v)]
        room -= sum(map(len, lines)) + _BREAK * len(lines)
        if room < 0:
            break
        texts[place] += "".join(lines) + (f"<br>and {more} more" if more else "")
    return texts


def _cell(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return plain(str(value))
    return number(value)


def thinned_words(total: int, drawn: int) -> str:
    """A sentence on the trials that are not drawn, with a space before it; empty if all are."""
    if drawn >= total:
        return ""
    return f" Drawn are {count(drawn, 'trial')} of the {total:,}: the best, and the rest evenly."


def outside_words(ranked: Ranked) -> str:
    """A sentence on the values outside the axis, with a space before it; empty without any."""
    beyond = outside(ranked.values, falls=ranked.target.falls)
    lies = "lies" if beyond == 1 else "lie"
    return f" {count(beyond, 'trial')} {lies} outside the picture." if beyond else ""
