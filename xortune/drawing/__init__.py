"""Draws trained networks, as SVG and PNG."""
