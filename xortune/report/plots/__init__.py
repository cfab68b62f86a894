"""The plots of a study, as plotly figures."""

from xortune.report.plots.gallery import best_so_far, curves, gallery, importance, pictures
from xortune.report.plots.picture import Absent, Picture

__all__ = ["Absent", "Picture", "best_so_far", "curves", "gallery", "importance", "pictures"]
