"""The plots of a study, as plotly figures."""

from xortune.report.plots.picture import Picture

__all__ = ["Picture"]
