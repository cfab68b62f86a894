"""The plots of a study, as plotly figures. Each raises Absent if there is nothing to show."""

from xortune.report.plots.best_trials import best_so_far
from xortune.report.plots.contour_map import contour
from xortune.report.plots.costs import cost
from xortune.report.plots.gallery import gallery, pictures
from xortune.report.plots.parallel_axes import parallel
from xortune.report.plots.parameter_importance import importance
from xortune.report.plots.parameter_slices import slices
from xortune.report.plots.picture import Absent, Picture
from xortune.report.plots.pruning import rungs
from xortune.report.plots.run_times import time_spent
from xortune.report.plots.training_curves import curves
from xortune.report.plots.trainings import replicates
from xortune.report.plots.trial_states import states

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
