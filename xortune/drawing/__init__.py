"""Draws trained networks, as SVG and PNG."""

from xortune.drawing.pictures import network_svg, picture_svg, surface_svg
from xortune.drawing.png_files import svg_as_png

__all__ = ["network_svg", "picture_svg", "surface_svg", "svg_as_png"]
