"""Trials in groups that have something in common, such as a parameter's value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

import pandas as pd

from xortune.report.bins import MOST, Bins, bins_of, is_log
from xortune.report.selection import values_of
from xortune.report.wilson import wilson_interval
from xortune.space import Range, SearchSpace, grid_bounds

_WHOLE = ("int64", "Int64")
_DTYPES = {"trials": "int64", "complete": "int64", "best_trial": "Int64"}


def grouped(frame: pd.DataFrame, space: SearchSpace, names: Sequence[str]) -> pd.DataFrame:
    """One row per group, in the order of the median of the objective, best first.

    A column of numbers with more than eight different values is cut into at most eight ranges,
    those of a parameter from one end of its range to the other, on its scale.

    Args:
        frame: trials, ranked, with the columns of `columns`.
        space: the study's.
        names: of the columns by which to group, each once.

    Returns:
        Those columns, a range as text; `trials`, how many there are, and `complete`, how many of
        them have a rank; where the problem has a goal `solved_share`, the share of the latter that
        reach it, with the ends of its interval, `solved_low` and `solved_high`, else `mean`;
        `median` and `best` of the objective, and `best_trial`, the number of that trial. What a
        column is called already has `group_` before it.
    """
    keys = [_key_of(frame[name], space) for name in names]
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, values in enumerate(zip(*(key.values for key in keys))):
        places.setdefault(values, []).append(place)
    objective, goal = space.spec.objectives[0], space.spec.solved is not None
    highest = objective.direction == "maximize"
    wanted = {"number": "number", "rank": "rank", "value": objective.metric}
    wanted |= {"solved": "solved"} if goal else {}
    measured = {word: values_of(frame[name]) for word, name in wanted.items()}
    facts = {values: _facts(found, measured, highest) for values, found in places.items()}
    order = sorted(places, key=lambda values: _standing(values, facts[values], highest))
    columns = {
        name: key.column([values[at] for values in order])
        for at, (name, key) in enumerate(zip(names, keys))
    }
    for name in _names(goal):
        free = f"group_{name}" if name in columns else name
        dtype = _DTYPES.get(name, "float64")
        columns[free] = pd.Series([facts[values][name] for values in order], dtype=dtype)
    return pd.DataFrame(columns)


class _Key(NamedTuple):
    """What the rows are grouped by in one column."""

    values: list[Any]  # of each row: the cell, or the place of its range; None for an empty cell
    dtype: str
    bins: Bins | None = None

    def column(self, values: Sequence[Any]) -> pd.Series:
        """The column of the groups with these values."""
        if self.bins is None:
            return pd.Series(values, dtype=self.dtype)
        texts = [None if place is None else self.bins.label(place) for place in values]
        return pd.Series(texts, dtype="string")


def _key_of(column: pd.Series, space: SearchSpace) -> _Key:
    values, dtype = values_of(column), str(column.dtype)
    known = [value for value in values if value is not None]
    numbers = dtype in (*_WHOLE, "float64") and all(map(math.isfinite, known))
    if not numbers or len({*known}) <= MOST:
        return _Key(values, dtype)
    bins = _bins(str(column.name), known, space, whole=dtype in _WHOLE)
    return _Key([None if value is None else bins.place(value) for value in values], dtype, bins)


def _bins(name: str, known: Sequence[float], space: SearchSpace, *, whole: bool) -> Bins:
    domain = space.domains.get(name)
    low, high = min(known), max(known)
    if not isinstance(domain, Range):
        return bins_of(low, high, log=is_log(known), whole=whole)
    least, most = grid_bounds(domain)
    return bins_of(min(low, least), max(high, most), log=domain.log, whole=whole)


def _names(goal: bool) -> tuple[str, ...]:
    middle = ("solved_share", "solved_low", "solved_high") if goal else ("mean",)
    return ("trials", "complete", *middle, "median", "best", "best_trial")


def _facts(
    places: Sequence[int], measured: Mapping[str, Sequence[Any]], highest: bool
) -> dict[str, Any]:
    """The numbers of a group, from the places of its rows; NaN for what is not known."""
    ranked = [place for place in places if measured["rank"][place] is not None]
    found: dict[str, Any] = {"trials": len(places), "complete": len(ranked)}
    if not ranked:
        return {
            **dict.fromkeys(_names(False) + _names(True), math.nan),
            "best_trial": None,
            **found,
        }
    values = [measured["value"][place] for place in ranked]
    first = min(ranked, key=lambda place: measured["rank"][place])
    found |= {"best_trial": measured["number"][first], "median": median(values)}
    found["best"] = max(values) if highest else min(values)
    # Divided first, since a sum of large numbers may be infinite.
    found["mean"] = math.fsum(value / len(values) for value in values)
    if "solved" in measured:
        hits = sum(measured["solved"][place] is True for place in ranked)
        low, high = wilson_interval(hits, len(ranked))
        found |= {"solved_share": hits / len(ranked), "solved_low": low, "solved_high": high}
    return found


def _standing(key: tuple[Any, ...], facts: Mapping[str, Any], highest: bool) -> tuple[Any, ...]:
    """What groups are sorted by: those without a complete trial come last, then by their values."""
    if not facts["complete"]:
        return True, 0.0, _comparable(key)
    return False, -facts["median"] if highest else facts["median"], _comparable(key)


def _comparable(key: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [(value is None, value if value is not None else 0) for value in key]
