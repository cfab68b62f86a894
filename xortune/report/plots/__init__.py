"""The plots of a study, as plotly figures."""

from xortune.report.plots.gallery import (
    best_so_far,
    contour,
    cost,
    curves,
    gallery,
    importance,
    parallel,
    pictures,
    replicates,
    rungs,
    slices,
    states,
    time_spent,
)
from xortune.report.plots.picture import Absent, Picture

__all__ = [
    "Absent",
    "Picture",
    "best_so_far",
    "contour",
    "cost",
    "curves",
    "gallery",
    "importance",
    "parallel",
    "pictures",
    "replicates",
    "rungs",
    "slices",
    "states",
    "time_spent",
]
