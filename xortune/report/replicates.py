"""The trainings of one trial as a DataFrame."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from xortune.spec import ProblemSpec
from xortune.trial import Replicate


def replicates_frame(
    spec: ProblemSpec,
    trainings: Sequence[Replicate],
    seeds: Sequence[int | None],
    replicates: int,
    folds: int | None,
) -> pd.DataFrame:
    """One row per training of a trial, in their order.

    Args:
        spec: the study's.
        trainings: with the metrics of a training, or None where it failed.
        seeds: by place; None where there is none.
        replicates: how many of the places are the search's; the others are the confirmation's.
        folds: the number of folds, which take turns; None without folds.

    Returns:
        The columns `replicate`, the place; `part`, `search` or `confirmation`; `seed`, `fold`,
        `state`, the metrics, `duration_s` and `error`.
    """
    places = [one.place for one in trainings]
    head = {
        "replicate": pd.Series(places, dtype="int64"),
        "part": pd.Series(
            ["search" if place < replicates else "confirmation" for place in places], dtype="string"
        ),
        "seed": pd.Series([seeds[place] for place in places], dtype="Int64"),
        "fold": pd.Series([place % folds if folds else None for place in places], dtype="Int64"),
        "state": pd.Series([one.state for one in trainings], dtype="string"),
    }
    metrics = {
        metric.name: pd.Series(
            [math.nan if one.scores is None else one.scores[metric.name] for one in trainings],
            dtype="float64",
        )
        for metric in spec.measured
    }
    tail = {
        "duration_s": pd.Series([one.duration_s for one in trainings], dtype="float64"),
        "error": pd.Series([one.error for one in trainings], dtype="string"),
    }
    return pd.DataFrame({**head, **metrics, **tail})
