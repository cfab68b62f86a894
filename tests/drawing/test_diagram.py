"""The diagram of a network shows its numbers, and says the same to people who cannot see it."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawing.made import NINE, SVG, hints, lab, mlp, numbers, read, texts
from xortune.drawing import network_svg
from xortune.drawing.diagram import _weights
from xortune.drawing.elements import short, width_of
from xortune.drawing.layout import layout_of
from xortune.drawing.placing import Box, places

WEIGHTS = st.floats(-1e6, 1e6, width=32)


@given(st.tuples(*[WEIGHTS] * 9))
@settings(max_examples=30)
def test_the_numbers_of_the_drawing_are_the_nine_of_the_network(nine):
    svg = network_svg(lab(nine))
    assert sorted(numbers(svg)) == sorted(float(f"{value:.4g}") for value in nine)
    exact = [float(hint.rpartition(" = ")[2]) for hint in hints(svg) if " = " in hint]
    assert sorted(exact) == sorted(nine)


def test_every_edge_and_unit_says_its_number():
    said = hints(network_svg(lab()))
    assert "fc1.weight[0][1] = -7.484" in said
    assert "fc1.weight[1][0] = -9.21" in said
    assert "h1: fc1.bias[1] = 4.117" in said
    assert "output: fc2.bias[0] = -9.419" in said


def lines(svg):
    """The edges by what they say; the legend's say nothing."""
    return {line[0].text: line.attrib for line in read(svg).iter(f"{SVG}line") if len(line)}


def test_edges_show_the_sign_and_the_size_of_their_weights():
    edges = lines(network_svg(lab()))
    assert len(edges) == 6
    for said, edge in edges.items():
        assert edge["class"] == ("d-negative" if "= -" in said else "d-positive")
    widths = {abs(float(s.rpartition(" ")[2])): float(e["stroke-width"]) for s, e in edges.items()}
    assert [widths[size] for size in sorted(widths)] == sorted(widths.values())


def test_an_edge_joins_the_units_that_its_weight_joins():
    svg = network_svg(lab())
    at = {c[0].text.partition(":")[0]: c.attrib for c in read(svg).iter(f"{SVG}circle") if len(c)}
    edge = lines(svg)["fc1.weight[1][0] = -9.21"]  # from x0 to h1
    assert float(at["x0"]["cx"]) < float(edge["x1"]) < float(edge["x2"]) < float(at["h1"]["cx"])
    assert float(at["x0"]["cy"]) < float(edge["y1"]) < float(edge["y2"]) < float(at["h1"]["cy"])


@pytest.mark.parametrize("sizes", [(2, 2, 1), (2, 3, 1), (1, 1), (3, 3, 2), (2, 2, 2, 1)], ids=str)
def test_numbers_cover_neither_each_other_nor_a_unit(sizes):
    network = mlp(*sizes)
    layout = layout_of(network)
    edges = [weight.line for weight in _weights(network, layout)]
    widths = [width_of(short(weight.value), 14) for weight in _weights(network, layout)]
    units = [
        Box.around(unit.x, unit.y, 2 * layout.radius, 2 * layout.radius)
        for column in layout.columns
        for unit in column.units
    ]
    found = places(edges, widths, 14, units)
    boxes = [Box.around(x, y, width, 14) for (x, y), width in zip(found, widths)]
    assert not any(one.meets(other) for one, other in combinations((*boxes, *units), 2))


def test_long_numbers_get_more_room():
    usual, long = (layout_of(lab((weight, *NINE[1:]))) for weight in (-7.5, -1.2345e-30))
    assert long.width > usual.width + 50


def test_a_large_network_has_thin_edges_and_no_numbers():
    svg = network_svg(mlp(2, 8, 8, 1))
    assert numbers(svg) == []
    assert len(lines(svg)) == 16 + 64 + 8
    assert max(float(edge["stroke-width"]) for edge in lines(svg).values()) < 4
    assert {"column 0", "column 1", "y0", "layers.0", "relu"} <= {*texts(svg)}


def test_of_a_very_large_network_the_first_and_last_units_are_drawn():
    svg = network_svg(mlp(30, 500, 500, 20))
    shown = {*texts(svg)}
    assert {"column 0", "column 29", "y0", "y19", "500 relu"} <= shown
    assert "column 15" not in shown
    assert len(svg) < 100_000
    deep = network_svg(mlp(2, *[5] * 16, 1))
    heads = [text for text in texts(deep) if text.startswith("layers.")]
    assert heads == [f"layers.{place}" for place in (0, 1, 2, 3, 13, 14, 15, 16)]


def test_columns_that_are_not_neighbours_are_not_joined():
    network = mlp(2, *[2] * 12, 1)
    joined = {(w.name.split(".")[1]) for w in _weights(network, layout_of(network))}
    assert joined == {"0", "1", "2", "3", "10", "11", "12"}


def test_the_drawing_in_words_has_all_numbers_of_a_small_network():
    words = read(network_svg(lab())).find(f"{SVG}desc").text
    for number in NINE:
        assert f"{number:.4g}" in words
    large = read(network_svg(mlp(2, 50, 1))).find(f"{SVG}desc").text
    assert "2 to 50 units, then relu." in large


@pytest.mark.parametrize("number", [float("inf"), float("nan"), 3.4e38, 1e-45])
def test_extreme_weights_are_drawn(number):
    svg = network_svg(lab((number, *NINE[1:])))
    read(svg)
    assert "nan" not in svg.partition("<rect")[2].replace("nan</t", "")
