"""The diagram of a network: units in columns, edges with their weights, biases, activations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from xortune.drawing.elements import Part, element, fitting, hint, label, short, width_of
from xortune.drawing.layout import (
    LONGEST_NAME,
    NAME_SIZE,
    NUMBER_SIZE,
    Column,
    Layout,
    Unit,
    layout_of,
)
from xortune.drawing.placing import Box, Edge, places
from xortune.network import Layer, Network

_MOST_HINTS = 300
_MOST_WORDS = 40  # weights and biases that are read out


class _Weight(NamedTuple):
    """An edge that is drawn, with its weight."""

    line: Edge
    name: str  # such as `fc1.weight[0][1]`
    value: float


def diagram(network: Network) -> Part:
    """The drawing of a network, with its weights written on the edges if they are few."""
    layout = layout_of(network)
    weights = [*_weights(network, layout)]
    numbers = _numbers(network, weights, layout) if layout.numbers else None
    if layout.numbers and numbers is None:
        layout = layout_of(network, numbers=False)
        weights = [*_weights(network, layout)]
    body = [*_edges(weights, layout), *_gaps(layout), *_units(network, layout)]
    body += [*_heads(network, layout), *(numbers or ()), *_legend(layout)]
    return Part("".join(body), layout.width, layout.height, _title(network), _words(network))


def _weights(network: Network, layout: Layout) -> Iterator[_Weight]:
    for before, after in zip(layout.columns, layout.columns[1:]):
        if after.number != before.number + 1:
            continue  # Columns between them are left out.
        layer = network.layers[after.number - 1]
        for to in after.units:
            for of in before.units:
                name = f"{layer.name}.weight[{to.place}][{of.place}]"
                line = Edge(of.x + layout.radius, of.y, to.x - layout.radius, to.y)
                yield _Weight(
                    _shortened(of, to, layout.radius) if layout.numbers else line,
                    name,
                    layer.weights[to.place][of.place],
                )


def _shortened(of: Unit, to: Unit, radius: float) -> Edge:
    """The line between two circles, from rim to rim."""
    share = radius / math.hypot(to.x - of.x, to.y - of.y)
    edge = Edge(of.x, of.y, to.x, to.y)
    return Edge(*edge.at(share), *edge.at(1 - share))


def _edges(weights: list[_Weight], layout: Layout) -> Iterator[str]:
    """The lines, the faint ones first: as wide as their weights are large."""
    sizes = [abs(w.value) for w in weights if math.isfinite(w.value)]
    largest = max(sizes, default=0.0) or 1.0
    low, high = (1.2, 8.0) if layout.numbers else (0.6, 3.2)

    def share(weight: _Weight) -> float:
        return min(abs(weight.value) / largest, 1.0) if math.isfinite(weight.value) else 1.0

    for weight in sorted(weights, key=share):
        line, size = weight.line, share(weight)
        yield element(
            "line",
            hint(f"{weight.name} = {weight.value!r}") if len(weights) <= _MOST_HINTS else "",
            x1=line.x1, y1=line.y1, x2=line.x2, y2=line.y2,
            class_="d-negative" if weight.value < 0 else "d-positive",
            stroke_width=low + (high - low) * size,
            stroke_opacity=0.85 if layout.numbers else 0.22 + 0.68 * size,
        )  # fmt: skip


def _numbers(network: Network, weights: list[_Weight], layout: Layout) -> list[str] | None:
    """The weights on their edges; None if there is no room for all of them."""
    texts = [short(weight.value) for weight in weights]
    widths = [width_of(text, NUMBER_SIZE) for text in texts]
    taken = [box for column in layout.columns for box in _taken(network, layout, column)]
    found = places([weight.line for weight in weights], widths, NUMBER_SIZE, taken)
    if found is None:
        return None
    return [
        _number(x, y, text, weight.value) for (x, y), text, weight in zip(found, texts, weights)
    ]


def _taken(network: Network, layout: Layout, column: Column) -> Iterator[Box]:
    """What the units of a column and their biases cover."""
    for unit in column.units:
        side = 2 * layout.radius + 6
        yield Box.around(unit.x, unit.y, side, side)
        if column.number > 0:
            width = width_of(_bias(network, column, unit), NAME_SIZE)
            yield Box.around(unit.x, unit.y + layout.radius + 14, width, NAME_SIZE)


def _bias(network: Network, column: Column, unit: Unit) -> str:
    return f"b = {short(network.layers[column.number - 1].biases[unit.place])}"


def _number(x: float, y: float, text: str, value: float) -> str:
    """A number on paper of its own, since the edge behind it has its colour."""
    width, height = width_of(text, NUMBER_SIZE) + 4, NUMBER_SIZE + 4
    paper = element(
        "rect",
        x=x - width / 2,
        y=y - height / 2,
        width=width,
        height=height,
        rx=4,
        class_="d-paper",
    )
    sign = "d-minus" if value < 0 else "d-plus"
    below = y + 0.36 * NUMBER_SIZE
    return paper + label(x, below, text, sign, size=NUMBER_SIZE, font_weight="600")


def _units(network: Network, layout: Layout) -> Iterator[str]:
    last = len(network.layers)
    for column in layout.columns:
        names = [network.unit(column.number, unit.place) for unit in column.units]
        outer, fits = column.number in (0, last), layout.names_fit(names)
        for unit, name in zip(column.units, names):
            yield _circle(network, layout, column, unit)
            if fits and (layout.numbers or outer):
                yield label(unit.x, unit.y + 4.5, name, size=NAME_SIZE)
            elif outer:
                yield _beside(unit, layout.radius, name, right=column.number == last)
            if layout.numbers and column.number > 0:
                below, class_ = unit.y + layout.radius + 18, "d-halo d-ink"
                yield label(unit.x, below, _bias(network, column, unit), class_, size=NAME_SIZE)


def _circle(network: Network, layout: Layout, column: Column, unit: Unit) -> str:
    described = network.unit(column.number, unit.place)
    if column.number > 0:
        layer = network.layers[column.number - 1]
        described += f": {layer.name}.bias[{unit.place}] = {layer.biases[unit.place]!r}"
    return element(
        "circle", hint(described), cx=unit.x, cy=unit.y, r=layout.radius, class_="d-unit",
        stroke_width=1.5 if layout.numbers else 1.0,
    )  # fmt: skip


def _beside(unit: Unit, radius: float, name: str, right: bool) -> str:
    shown = fitting(name, NAME_SIZE, LONGEST_NAME)
    x, anchor = (unit.x + radius + 10, "start") if right else (unit.x - radius - 10, "end")
    return label(x, unit.y + 4.5, shown, "d-halo d-ink", anchor, NAME_SIZE)


def _gaps(layout: Layout) -> Iterator[str]:
    """Three dots for the units and the layers that are left out."""
    radius = 2.0
    for column in layout.columns:
        if column.gap is not None:
            for step in (-8.0, 0.0, 8.0):
                y = column.gap + step
                yield element("circle", cx=column.x, cy=y, r=radius, class_="d-muted")
    if layout.gap is not None:
        units = layout.columns[0].units
        middle = (units[0].y + units[-1].y) / 2
        for step in (-10.0, 0.0, 10.0):
            yield element("circle", cx=layout.gap + step, cy=middle, r=radius, class_="d-muted")


def _heads(network: Network, layout: Layout) -> Iterator[str]:
    """The name, the activation and the number of units above each column."""
    apart = min((b.x - a.x for a, b in zip(layout.columns, layout.columns[1:])), default=200.0)
    for column in layout.columns:
        size = network.sizes[column.number]
        head, below = "inputs" if size > 1 else "input", ""
        if column.number > 0:
            layer = network.layers[column.number - 1]
            head, below = layer.name, layer.activation
        if column.gap is not None:
            below = f"{size:,} {below}".strip()
        shown = fitting(head, 12, apart - 6)
        yield label(column.x, 24, shown, size=12, font_weight="600")
        yield label(column.x, 41, fitting(below, 12, apart - 6), "d-muted", size=12)


def _legend(layout: Layout) -> Iterator[str]:
    """What the colours and widths of the edges say."""
    y, x = layout.height - 22, max(14.0, layout.width / 2 - 150)
    for class_, text, step in (("d-positive", "positive", 92.0), ("d-negative", "negative", 96.0)):
        yield element("line", x1=x, y1=y - 4, x2=x + 22, y2=y - 4, class_=class_, stroke_width=4)
        yield label(x + 28, y, text, "d-muted", "start", 12)
        x += step
    yield label(x, y, "wider: larger weight", "d-muted", "start", 12)


def _title(network: Network) -> str:
    return f"The trained network: {' - '.join(f'{size:,}' for size in network.sizes)} units"


def _words(network: Network) -> str:
    """Its layers in words; of a small network with all numbers."""
    count = sum(len(layer.biases) * (len(layer.weights[0]) + 1) for layer in network.layers)
    sentences = [f"Inputs: {_listed(network.inputs)}. Outputs: {_listed(network.outputs)}."]
    for layer in network.layers:
        activation = f", then {layer.activation}" if layer.activation else ""
        sizes = f"{len(layer.weights[0]):,} to {len(layer.biases):,} units"
        numbers = f": {_spoken(layer)}" if count <= _MOST_WORDS else ""
        sentences.append(f"Layer {layer.name}, {sizes}{activation}{numbers}.")
    return " ".join(sentences)


def _spoken(layer: Layer) -> str:
    rows = [
        f"unit {place} has the weights {', '.join(f'{w:.4g}' for w in row)} and the bias {bias:.4g}"
        for place, (row, bias) in enumerate(zip(layer.weights, layer.biases))
    ]
    return "; ".join(rows)


def _listed(names: tuple[str, ...]) -> str:
    most = 10
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
