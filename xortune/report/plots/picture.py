"""A plot together with its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Picture(NamedTuple):
    """A plotly figure, and what a page says of it."""

    name: str  # of its place in a page, such as `best-so-far`
    title: str
    figure: go.Figure
    # What the picture shows, in one or two sentences with numbers: for people who cannot see it,
    # and for all others below the title.
    words: str
