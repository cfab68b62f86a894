"""The HTML report: one file that needs nothing else."""

from xortune.report.page.about import About, Command
from xortune.report.page.drawing import Drawing
from xortune.report.page.page import GENERATOR, html_page

__all__ = ["GENERATOR", "About", "Command", "Drawing", "html_page"]
