"""How the values of a parameter lie along an axis: as its domain says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from xortune.report.plots.ranked import Floats, log_axis
from xortune.report.plots.text import brief, is_missing, number, plain
from xortune.report.results import Results
from xortune.space import Choice, Range, count_values, grid_bounds
from xortune.spec import Parameter

if TYPE_CHECKING:
    import pandas as pd

_MOST_CATEGORIES = 12  # more numbers lie along an axis of numbers
_MOST_LABELS, _SHORTEST = 10, 6  # labels of an axis, and letters of one that is cut
_ROOM, _NARROW_ROOM = 72, 48  # letters of all labels of an axis
_LONG = 12  # letters of a label on two lines
_FACTOR = 100.0  # numbers to choose from that span it lie along a logarithm
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Scale:
    """An axis for one parameter."""

    parameter: Parameter
    kind: Literal["linear", "log", "choice"]
    low: float
    high: float
    texts: tuple[str, ...] = ()  # of a choice, at the places from 0 on
    held: tuple[Any, ...] = ()  # their values in the table; None for what does not apply

    @property
    def name(self) -> str:
        return self.parameter.name

    @property
    def labels(self) -> list[str]:
        """The texts of a choice for plotly."""
        return [*map(plain, self.texts)]

    def places(self, frame: pd.DataFrame) -> Floats:
        """Where trials lie: their values, or the index of their choice; NaN where there is none."""
        column = frame[self.name]
        if self.kind != "choice":
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        index = {value: float(place) for place, value in enumerate(self.held)}
        values = [None if is_missing(value) else value for value in column.tolist()]
        return np.array([index.get(value, np.nan) for value in values], np.float64)

    def fractions(self, places: Floats) -> Floats:
        """Places as shares of the axis, from 0 to 1."""
        low, high = self.low, self.high
        if self.kind == "log":
            places = np.log(places, dtype=np.float64)
            low, high = math.log(low), math.log(high)
        shares: Floats = (places - low) / (high - low)
        return shares

    def axis(self, *, narrow: bool = False) -> dict[str, Any]:
        """For plotly, with a margin at both ends; `narrow` for four ticks that never change."""
        title = {"text": plain(self.name)}
        if self.kind == "choice":
            ticks = self.ticks(_NARROW_ROOM if narrow else _ROOM)
            return {
                "title": title, "range": [self.low, self.high], "showgrid": False,
                "zeroline": False, "ticklabeloverflow": "allow",
                "tickvals": [place for place, _ in ticks], "ticktext": [text for _, text in ticks],
            }  # fmt: skip
        low, high = self.low, self.high
        kind: dict[str, Any] = {"nticks": 4 if narrow else 6, "tickangle": 0}
        if self.kind == "log":
            kind |= log_axis(low, high)
            if narrow:
                kind["tickvals"], kind["ticktext"] = zip(*log_ticks(low, high, most=4))
            low, high = math.log10(low), math.log10(high)
        elif narrow:
            values = _round_numbers(low, high)
            kind["tickvals"] = values[:: -(-len(values) // 4)]
            kind["ticktext"] = [number(value) for value in kind["tickvals"]]
        margin = 0.04 * (high - low)
        ends = [low - margin, high + margin]
        return {"title": title, "range": ends, "showgrid": False, "zeroline": False, **kind}

    def ticks(self, room: int = _ROOM) -> list[tuple[float, str]]:
        """A few places with their labels, which are ready for plotly, of so many letters."""
        if self.kind == "choice":
            step = -(-len(self.texts) // _MOST_LABELS)
            longest = max(_SHORTEST, room * step // len(self.texts))
            labels = [_on_two_lines(text, longest) for text in self.texts]
            return [(float(place), label) for place, label in enumerate(labels)][::step]
        return ticks_between(self.low, self.high, is_log=self.kind == "log")


def scales(results: Results) -> list[Scale]:
    """The axes of the parameters that vary in a search space, in the spec's order."""
    domains = results.space.domains
    varying = (p for p in results.spec.parameters if count_values(domains[p.name]) != 1)
    return [_scale(p, domains[p.name], results.trials[p.name]) for p in varying]


def _scale(parameter: Parameter, domain: Choice | Range, column: pd.Series) -> Scale:
    if isinstance(domain, Range):
        low, high = grid_bounds(domain)
        if not domain.whole or domain.log or (count_values(domain) or 0) > _MOST_CATEGORIES:
            return Scale(parameter, "log" if domain.log else "linear", float(low), float(high))
        steps = range(int(low), int(high) + 1, int(domain.step or 1))
        domain = Choice(tuple(steps))
    values: list[Any] = [*dict.fromkeys(parameter.value_type(value) for value in domain.values)]
    is_numeric = all(type(value) in (int, float) for value in values)
    if is_numeric:
        values.sort()
        if len(values) > _MOST_CATEGORIES:
            is_wide = values[0] > 0 and values[-1] / values[0] >= _FACTOR
            return Scale(parameter, "log" if is_wide else "linear", values[0], values[-1])
    texts = [number(value) if is_numeric else str(value) for value in values]
    if column.isna().any():
        values, texts = [*values, None], [*texts, "none"]
    return Scale(parameter, "choice", -0.5, len(values) - 0.5, tuple(texts), tuple(values))


def _on_two_lines(text: str, longest: int) -> str:
    """A label for plotly, broken near its middle if it is long: `early_` above `stopping`."""
    text = brief(text, longest)
    middle = len(text) / 2
    ends = [place + 1 for place, letter in enumerate(text) if letter in "_ -/"]
    at = min(ends, key=lambda place: abs(place - middle), default=0)
    if len(text) < _LONG or not 2 < at < len(text) - 2:
        return plain(text)
    return f"{plain(text[:at])}<br>{plain(text[at:])}"


def scattered(numbers: NDArray[np.int64], width: float) -> Floats:
    """A shift for each trial, evenly between `-width / 2` and `width / 2`, by its number alone.

    Multiples of the golden ratio, so that neighbouring trials lie apart.
    """
    shares = np.mod(numbers.astype(np.float64) * _GOLDEN, 1.0)
    shifts: Floats = (shares - 0.5) * width
    return shifts


def ticks_between(low: float, high: float, *, is_log: bool) -> list[tuple[float, str]]:
    """About five numbers between two others, with their labels."""
    if is_log:
        return log_ticks(low, high, most=5)
    return [(value, number(value)) for value in _round_numbers(low, high)]


def log_ticks(low: float, high: float, *, most: int) -> list[tuple[float, str]]:
    """Powers of ten between two numbers, or also 2 and 5 times them, or else the two alone."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for digits in ((1,), (1, 2, 5)):
        values = [d * 10.0**power for power in range(first, last + 1) for d in digits]
        values = [v for v in values if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
        if len(values) > 2:
            break
    if len(values) < 2:
        values = [low, high]
    return [(value, number(value)) for value in values[:: -(-len(values) // most)]]


def _round_numbers(low: float, high: float) -> tuple[float, ...]:
    """About five numbers with few digits between two others, or else these two."""
    step = 10 ** math.floor(math.log10((high - low) / 2))
    step *= next(f for f in (1, 2, 5, 10) if (high - low) / (step * f) <= 6)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = tuple(k * step for k in range(first, last + 1))
    return values if len(values) > 1 else (low, high)
