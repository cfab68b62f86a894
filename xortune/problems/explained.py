"""The forward pass of a small network in words: every step with its numbers, 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

from xortune.escaping import visible
from xortune.network import Layer, Network

_WIDTH = 80
_MOST_UNITS = 4  # shown of a layer: the first ones and the last
_MOST_TERMS = 4  # shown of a sum: the largest
_MOST_INPUTS = 12
_LONGEST_NAME = 30
_TIMES = "\N{NO-BREAK SPACE}*\N{NO-BREAK SPACE}"  # keeps the factors of a term in one line
_DEEPEST = 12  # columns before the equals signs below a long name


class Pass(NamedTuple):
    """The numbers of one layer: the sums of its units, and what the activation makes of them."""

    sums: Sequence[float]
    outputs: Sequence[float]


def digits(value: float) -> str:
    """A number as every step shows it."""
    return f"{value:.6g}"


def plus(value: float) -> str:
    """What is added, as in ` + 0.5`; of a negative number ` - 0.5`."""
    # A negative zero is zero.
    return f" - {digits(-value)}" if value < 0 else f" + {digits(value + 0.0)}"


def explained(network: Network, inputs: Sequence[float], passes: Sequence[Pass]) -> list[str]:
    """The lines of all layers. Of a long sum they have the largest terms, and dots for the others.

    Args:
        network: the network; a layer without an activation ends with its sums.
        inputs: the numbers that it is given.
        passes: of each layer.
    """
    lines, before, names = [], list(inputs), _input_names(network)
    for column, (layer, numbers) in enumerate(zip(network.layers, passes), 1):
        of = [network.unit(column, place) for place in range(len(layer.biases))]
        of = [short_name(name) for name in of]
        lines += ["", _heading(layer)]
        for place in shown_places(len(of), _MOST_UNITS):
            if place is None:
                lines += ["", f"... and {len(of) - _MOST_UNITS:,} more"]
            else:
                terms = _Terms(layer, place, names, before)
                lines += _unit(of[place], terms, numbers.sums[place], numbers.outputs[place])
        before, names = list(numbers.outputs), of
    return lines


def listed_inputs(network: Network, inputs: Sequence[float], notes: Sequence[str]) -> list[str]:
    """A line for each input: its short name, its number, and a note on it."""
    names, lines = _input_names(network), []
    for place in shown_places(len(inputs), _MOST_INPUTS):
        if place is None:
            lines.append(f"... and {len(inputs) - _MOST_INPUTS:,} more")
        else:
            note = f"  {visible(notes[place])}" if notes[place] else ""
            lines.append(_cut(f"{names[place]} = {digits(inputs[place])}{note}"))
    return lines


def shown_places(count: int, most: int) -> Iterator[int | None]:
    """The places that are shown of so many, and None where some are left out."""
    if count <= most:
        yield from range(count)
        return
    yield from range(most - 1)
    yield None
    yield count - 1


def short_name(name: str) -> str:
    """A name of at most 30 printable characters."""
    shown = visible(name)
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[: _LONGEST_NAME - 3]}..."


def step(name: str, *values: str) -> list[str]:
    """`name = value`, with further values below, each after its own equals sign."""
    lines: list[str] = []
    below = " " * min(len(name), _DEEPEST)
    for value in values:
        lines += textwrap.wrap(
            value, _WIDTH, initial_indent=f"{below if lines else name} = ",
            subsequent_indent=f"{below}     ", break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    return [line.replace(_TIMES, " * ") for line in lines]


class _Terms(NamedTuple):
    """What a unit adds up."""

    layer: Layer
    place: int
    names: Sequence[str]  # of the units before it
    numbers: Sequence[float]  # theirs

    def symbols(self) -> list[str]:
        """As in `w01 * x1`."""
        few = len(self.layer.biases) <= 10 and len(self.names) <= 10
        between = "" if few else "_"
        return [f"w{self.place}{between}{k}{_TIMES}{name}" for k, name in enumerate(self.names)]

    def largest(self) -> list[int]:
        """The places of the terms that are shown, in their order."""
        row = self.layer.weights[self.place]
        sizes = [abs(w * x) for w, x in zip(row, self.numbers)]
        # Of equal ones the first; NaN, which compares with nothing, counts as the largest.
        order = sorted(range(len(sizes)), key=lambda k: -sizes[k] if sizes[k] == sizes[k] else -inf)
        return sorted(order[:_MOST_TERMS])

    def values(self) -> list[str]:
        """As in `-0.5 * 1`."""
        row = self.layer.weights[self.place]
        return [f"{digits(w)}{_TIMES}{digits(x)}" for w, x in zip(row, self.numbers)]


def _unit(name: str, terms: _Terms, total: float, output: float) -> list[str]:
    """The steps of one unit, from its formula to its number."""
    activation = terms.layer.activation
    bias = digits(terms.layer.biases[terms.place])
    places = terms.largest()
    symbols = _sum(terms.symbols(), places, f"b{terms.place}")
    formulas = (symbols, _sum(terms.values(), places, bias))
    values = [f"{activation}({formula})" if activation else formula for formula in formulas]
    if activation:
        values.append(f"{activation}({digits(total)})")
    return ["", *step(name, *values, digits(output))]


def _sum(terms: Sequence[str], places: Sequence[int], bias: str) -> str:
    others = ["..."] if len(places) < len(terms) else []
    return " + ".join([*(terms[place] for place in places), *others, bias])


def _heading(layer: Layer) -> str:
    return f"Layer {layer.name}: w is {layer.name}.weight, b is {layer.name}.bias"


def _input_names(network: Network) -> list[str]:
    return [f"x{place}" for place in range(len(network.inputs))]


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."
