"""Draws trained networks, as SVG and PNG."""

from xortune.drawing.pictures import network_svg, picture_svg, surface_svg

__all__ = ["network_svg", "picture_svg", "surface_svg"]
