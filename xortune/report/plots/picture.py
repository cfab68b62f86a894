"""A plot together with its words, and why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xortune.errors import XortuneError

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


class Absent(XortuneError):
    """A study has nothing that a picture could show; the message is a sentence that says why."""
