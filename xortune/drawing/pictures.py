"""The drawings of trained models, each a complete SVG."""

from __future__ import annotations

from xortune.drawing.diagram import diagram
from xortune.drawing.plane import plane
from xortune.drawing.theme import check_theme, svg_of
from xortune.network import Network, Surface


def network_svg(network: Network, theme: str = "auto") -> str:
    """The diagram of a network: units in columns, edges as wide as their weights are large.

    Few weights are written on their edges, and biases below their units. Of a large network the
    first and last units of each layer are drawn.

    Args:
        network: the network.
        theme: `light`, `dark`, or `auto`, which follows the page around it, or the reader.

    Raises:
        UsageError: there is no such theme.
    """
    return svg_of([diagram(network)], theme)


def surface_svg(surface: Surface, theme: str = "auto") -> str:
    """What a model answers over the plane of its two inputs, with its boundary and its rows.

    Args:
        surface: the answers.
        theme: as for `network_svg`.

    Raises:
        UsageError: there is no such theme.
    """
    check_theme(theme)
    return svg_of([plane(surface, theme)], theme)


def picture_svg(network: Network | None, surface: Surface | None, theme: str = "auto") -> str:
    """A network beside its answers; either may be missing.

    Args:
        network: the network.
        surface: the answers.
        theme: as for `network_svg`.

    Raises:
        ValueError: both are missing.
        UsageError: there is no such theme.
    """
    check_theme(theme)
    parts = [] if network is None else [diagram(network)]
    if surface is not None:
        parts.append(plane(surface, theme))
    if not parts:
        raise ValueError("there is neither a network nor a surface to draw")
    return svg_of(parts, theme)
