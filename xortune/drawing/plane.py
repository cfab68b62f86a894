"""The answers of a model over the plane of its two inputs: a field of colours, with its rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xortune.drawing.colours import (
    CLASSES,
    DIVERGING,
    RGB,
    VIRIDIS,
    at,
    css,
    of_class,
)
from xortune.drawing.contour import contour
from xortune.drawing.elements import (
    Part,
    coordinate,
    element,
    fitting,
    hint,
    label,
    short,
    width_of,
)
from xortune.drawing.images import address, png
from xortune.drawing.theme import only, variants
from xortune.network import Surface

_SIDE = 340.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 70.0, 44.0, 88.0, 58.0
_LEGEND = 26.0
_SHADES = 256
_MOST_LABELLED = 12  # rows whose classes are written in their circles


class _Axis(NamedTuple):
    """From numbers to pixels."""

    low: float
    high: float
    first: float  # the pixel of the lowest number
    last: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)


@dataclass(frozen=True)
class _Scale:
    """How answers become colours.

    `classes` says that they are numbers of classes; `two` that they are probabilities of the
    second of two, or the like, and else they are numbers from `low` to `high`.
    """

    low: float
    high: float
    two: bool
    classes: bool

    def shade(self, answer: float) -> int:
        """The number of an answer's colour."""
        if self.classes:
            return int(answer) % len(CLASSES) if answer == answer else 0
        share = (answer - self.low) / (self.high - self.low)
        return round((_SHADES - 1) * min(max(share, 0.0), 1.0)) if share == share else 0

    def colours(self, variant: str) -> list[RGB]:
        """The colours by their numbers."""
        if self.classes:
            return list(CLASSES)
        stops = DIVERGING[variant] if self.two else VIRIDIS
        return [at(stops, shade / (_SHADES - 1)) for shade in range(_SHADES)]


def plane(surface: Surface, theme: str) -> Part:
    """The drawing of a model's answers."""
    across = _Axis(*_ends(surface.xs), _LEFT, _LEFT + _SIDE)
    up = _Axis(*_ends(surface.ys), _TOP + _SIDE, _TOP)
    scale = _scale(surface)
    named = bool(surface.classes) and not _written(surface)
    body = [
        label(_LEFT, 28, fitting(surface.answer, 14, _SIDE), "d-ink", "start", font_weight="600"),
        *_fields(surface, scale, theme),
        *_boundary(surface, across, up),
        element("rect", x=_LEFT, y=_TOP, width=_SIDE, height=_SIDE, fill="none", class_="d-frame"),
        *_ticks(surface, across, up),
        *_points(surface, scale, across, up),
        *([] if scale.classes else _bar(scale)),
        *(_legend(surface, scale) if named else ()),
    ]
    height = _TOP + _SIDE + _BOTTOM + (_LEGEND if named else 0.0)
    width = _LEFT + _SIDE + (24.0 if scale.classes else _RIGHT)
    title = f"{surface.answer} over {surface.inputs[0]} and {surface.inputs[1]}"
    return Part("".join(body), width, height, title, _words(surface))


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = values[0], values[-1]
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _scale(surface: Surface) -> _Scale:
    two = len(surface.classes) == 2 or surface.boundary is not None
    numbers = [value for row in surface.answers for value in row if math.isfinite(value)]
    if two and min(numbers, default=0.0) >= 0 and max(numbers, default=1.0) <= 1:
        return _Scale(0.0, 1.0, True, False)
    if not two:
        # Targets beyond all answers have colours of their own.
        numbers += [target for *_, target in surface.points if math.isfinite(target)]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    return _Scale(
        low, high if high > low else low + (abs(low) or 1.0), two, len(surface.classes) > 2
    )


def _fields(surface: Surface, scale: _Scale, theme: str) -> Iterator[str]:
    """The field and the bar beside it, for light and dark."""
    rows = [bytes(scale.shade(value) for value in row) for row in reversed(surface.answers)]
    shades = [bytes([shade]) for shade in reversed(range(_SHADES))]
    for variant in variants(theme) if scale.two else variants("light"):
        colours = scale.colours(variant)
        body = _field(rows, address(png(rows, colours)), smooth=not scale.classes)
        if not scale.classes:
            body += element(
                "image", href=address(png(shades, colours)), x=_LEFT + _SIDE + 18, y=_TOP,
                width=14, height=_SIDE, preserveAspectRatio="none",
            )  # fmt: skip
        yield only(variant, theme, body) if scale.two else body


def _field(rows: Sequence[bytes], href: str, smooth: bool) -> str:
    """The field in its frame: answers lie in the middle of pixels, so half of the outer ones go."""
    across, up = max(len(rows[0]) - 1, 1), max(len(rows) - 1, 1)
    image = element(
        "image", href=href, x=-0.5 / across, y=-0.5 / up, width=1 + 1 / across,
        height=1 + 1 / up, preserveAspectRatio="none",
        image_rendering=None if smooth else "pixelated",
    )  # fmt: skip
    return element(
        "svg", image, x=_LEFT, y=_TOP, width=_SIDE, height=_SIDE, viewBox="0 0 1 1",
        preserveAspectRatio="none", overflow="hidden",
    )  # fmt: skip


def _boundary(surface: Surface, across: _Axis, up: _Axis) -> Iterator[str]:
    """The line where the decision changes."""
    if surface.boundary is None:
        return
    lines = contour(surface.xs, surface.ys, surface.answers, surface.boundary)
    path = "".join(
        "M" + "L".join(f"{coordinate(across.at(x))} {coordinate(up.at(y))}" for x, y in line)
        for line in lines
    )
    if path:
        named = hint(f"{surface.answer} = {surface.boundary:g}")
        for class_, width, inside in (("d-halo", 5.0, ""), ("d-bound", 1.8, named)):
            yield element(
                "path", inside, d=path, fill="none", class_=class_, stroke_width=width,
                stroke_linejoin="round", style=f"stroke-width:{coordinate(width)}px",
            )  # fmt: skip


def _ticks(surface: Surface, across: _Axis, up: _Axis) -> Iterator[str]:
    bottom = _TOP + _SIDE
    for value, text in ticks(across.low, across.high):
        x = across.at(value)
        yield element("line", x1=x, y1=bottom, x2=x, y2=bottom + 5, class_="d-frame")
        yield label(x, bottom + 20, text, "d-muted", size=12)
    for value, text in ticks(up.low, up.high):
        y = up.at(value)
        yield element("line", x1=_LEFT - 5, y1=y, x2=_LEFT, y2=y, class_="d-frame")
        yield label(_LEFT - 9, y + 4, text, "d-muted", "end", 12)
    middle = _LEFT + _SIDE / 2, _TOP + _SIDE / 2
    below, beside = (fitting(name, 14, _SIDE) for name in surface.inputs)
    yield label(middle[0], bottom + 42, below)
    turned = f"rotate(-90 20 {coordinate(middle[1])})"
    yield label(20, middle[1], beside, transform=turned)


def _points(surface: Surface, scale: _Scale, across: _Axis, up: _Axis) -> Iterator[str]:
    """The rows, in the colours of their targets."""
    few = len(surface.points) <= _MOST_LABELLED
    # A number is read off its colour, which needs more of it than a class.
    radius = 12.0 if _written(surface) else 7.0 if few else 3.6 if surface.classes else 5.0
    for x, y, target in surface.points:
        name = _name(surface, target)
        spoken = f"{surface.inputs[0]} {x:g}, {surface.inputs[1]} {y:g}: {name}"
        place = {"cx": across.at(x), "cy": up.at(y), "r": radius}
        if scale.two:
            class_, fill = f"d-dot {'d-plus' if target > 0 else 'd-minus'}", None
        else:
            class_, fill = "d-dot", css(_colour(scale, target))
        width = 2.5 if few else 1.2
        yield element("circle", hint(spoken), **place, class_=class_, fill=fill, stroke_width=width)
        if _written(surface):
            middle = place["cy"] + 4.5
            yield label(place["cx"], middle, name, "d-paper", size=13, font_weight="600")


def _written(surface: Surface) -> bool:
    """Whether the classes are written in the circles of the rows."""
    few = 0 < len(surface.points) <= _MOST_LABELLED
    return few and bool(surface.classes) and all(len(name) <= 2 for name in surface.classes)


def _name(surface: Surface, target: float) -> str:
    """A row's target in words."""
    if surface.classes and 0 <= target < len(surface.classes):
        return surface.classes[int(target)]
    return f"{target:g}"


def _colour(scale: _Scale, target: float) -> RGB:
    return of_class(target) if scale.classes else scale.colours("light")[scale.shade(target)]


def _bar(scale: _Scale) -> Iterator[str]:
    """The numbers beside the bar of colours."""
    bar = _Axis(scale.low, scale.high, _TOP + _SIDE, _TOP)
    x = _LEFT + _SIDE + 18
    yield element("rect", x=x, y=_TOP, width=14, height=_SIDE, fill="none", class_="d-frame")
    for value, text in ticks(scale.low, scale.high):
        y = bar.at(value)
        yield element("line", x1=x + 14, y1=y, x2=x + 18, y2=y, class_="d-frame")
        yield label(x + 21, y + 4, text, "d-muted", "start", 12)


def _legend(surface: Surface, scale: _Scale) -> Iterator[str]:
    """The names of the classes, with their colours, as far as there is room."""
    x, y, end = _LEFT, _TOP + _SIDE + _BOTTOM + 8, _LEFT + _SIDE + 24
    for place, name in enumerate(surface.classes):
        shown = fitting(name, 12, 110)
        room = width_of(shown, 12) + 32
        if x + room > end:
            yield label(x, y, f"and {len(surface.classes) - place} more", "d-muted", "start", 12)
            return
        class_ = ("d-plus" if place else "d-minus") if scale.two else None
        fill = None if scale.two else css(of_class(place))
        yield element("circle", cx=x + 5, cy=y - 4, r=5, class_=class_, fill=fill)
        yield label(x + 15, y, shown, "d-muted", "start", 12)
        x += room


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round numbers between two ends, two to seven of them, with their texts."""
    least = (high - low) / 5
    if not 0 < least < math.inf:
        return []
    power = 10.0 ** math.floor(math.log10(least))
    step = next((power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= least), power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [number * step for number in range(first, min(last, first + 9) + 1)]
    return [(value, short(round(value / step) * step if value else 0.0, 6)) for value in values]


def _words(surface: Surface) -> str:
    numbers = [value for row in surface.answers for value in row if math.isfinite(value)]
    low, high = min(numbers, default=math.nan), max(numbers, default=math.nan)
    words = f"The field of colours shows {surface.answer}"
    words += f", from {low:.3g} to {high:.3g}." if len(surface.classes) < 3 else ", by class."
    if surface.boundary is not None:
        words += f" The line is where it is {surface.boundary:g}."
    if 0 < len(surface.points) <= _MOST_LABELLED:
        rows = (f"({x:g}, {y:g}) is {_name(surface, t)}" for x, y, t in surface.points)
        words += f" Rows: {'; '.join(rows)}."
    elif surface.points:
        words += (
            f" {len(surface.points):,} training rows are points in the colours of their targets."
        )
    return words
