"""The colours of a field of answers: scales that colour-blind people read too."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

RGB = tuple[int, int, int]


class Stop(NamedTuple):
    """A colour at a place of a scale, from 0 to 1."""

    at: float
    colour: RGB


# From the colour of negative weights and the first of two classes to that of the others.
DIVERGING = {
    "light": (
        Stop(0.0, (176, 68, 12)),
        Stop(0.25, (229, 143, 86)),
        Stop(0.5, (246, 241, 234)),
        Stop(0.75, (106, 168, 220)),
        Stop(1.0, (11, 91, 168)),
    ),
    "dark": (
        Stop(0.0, (226, 112, 47)),
        Stop(0.25, (136, 68, 34)),
        Stop(0.5, (35, 36, 42)),
        Stop(0.75, (31, 86, 138)),
        Stop(1.0, (72, 158, 232)),
    ),
}
# Viridis, by Stéfan van der Walt and Nathaniel Smith, at nine places.
VIRIDIS = tuple(
    Stop(place / 8, colour)
    for place, colour in enumerate(
        (
            (68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141),
            (39, 173, 129), (92, 200, 99), (170, 220, 50), (253, 231, 37),
        )
    )
)  # fmt: skip
# Of Okabe and Ito, "Color Universal Design" (2008), without black, and two greys.
CLASSES: tuple[RGB, ...] = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0),
    (240, 228, 66), (120, 126, 136), (180, 186, 194),
)  # fmt: skip


def at(scale: tuple[Stop, ...], place: float) -> RGB:
    """The colour at a place of a scale; the ends go on beyond 0 and 1."""
    if not place > scale[0].at:  # also NaN
        return scale[0].colour
    if place >= scale[-1].at:
        return scale[-1].colour
    after = bisect_right([stop.at for stop in scale], place)
    low, high = scale[after - 1], scale[after]
    share = (place - low.at) / (high.at - low.at)
    r, g, b = (round(c + share * (d - c)) for c, d in zip(low.colour, high.colour))
    return r, g, b


def of_class(number: float) -> RGB:
    """The colour of a class of several."""
    return CLASSES[int(number) % len(CLASSES)]


def css(colour: RGB) -> str:
    """A colour as CSS and SVG write it."""
    return "#" + "".join(f"{part:02x}" for part in colour)
