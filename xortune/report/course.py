"""How a study's best trial came about: the ranking in a few numbers, to lay beside others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from xortune.report.formats import plain_rows
from xortune.report.wilson import wilson_interval
from xortune.spec import ProblemSpec

PARTS = (0.1, 0.25, 0.5, 1.0)  # of a study's trials, in their order


def course(frame: pd.DataFrame, spec: ProblemSpec, total: int, top: int) -> dict[str, Any]:
    """The best trials, and how soon the search was how good.

    Args:
        frame: the trials, ranked.
        spec: the study's.
        total: how many trials the study is to have.
        top: how many of the best.

    Returns:
        `trials`, the total; `finished` and `complete`, how many are; `best`, for each of the best
        trials its number and objective; `median` of the objective; where the problem has a goal
        `solved_share` of the complete trials, with the ends of its interval, `solved_low` and
        `solved_high`; `best_so_far`, for each part of the trials how many these are, and the best
        objective among them. None for what there is not.
    """
    objective = spec.objectives[0]
    ranked = frame[frame["rank"].notna()]
    waiting = frame["state"].isin(["WAITING", "RUNNING"]).sum()
    rows = plain_rows(ranked.head(top)[["number", objective.metric]])
    found: dict[str, Any] = {
        "trials": total,
        "finished": len(frame) - int(waiting),
        "complete": len(ranked),
        "best": [{"number": row["number"], "value": row[objective.metric]} for row in rows],
        "median": _plain(ranked[objective.metric].median()),
    }
    if spec.solved is not None:
        hits = int(ranked["solved"].sum())
        low, high = wilson_interval(hits, len(ranked))
        share = hits / len(ranked) if len(ranked) else None
        found |= {"solved_share": share, "solved_low": low, "solved_high": high}
    found["best_so_far"] = [_so_far(frame, ranked, spec, math.ceil(part * total)) for part in PARTS]
    return found


def _so_far(
    frame: pd.DataFrame, ranked: pd.DataFrame, spec: ProblemSpec, count: int
) -> Mapping[str, Any]:
    """The best objective of the first trials; None unless all of these are finished."""
    objective = spec.objectives[0]
    first = frame[frame["number"] < count]
    over = len(first) == count and not first["state"].isin(["WAITING", "RUNNING"]).any()
    values = ranked.loc[ranked["number"] < count, objective.metric]
    best = values.max() if objective.direction == "maximize" else values.min()
    return {"trials": count, "value": _plain(best) if over else None}


def _plain(value: Any) -> float | None:
    return None if pd.isna(value) or not math.isfinite(value) else float(value)
