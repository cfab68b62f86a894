"""The picture of a model's answers: its colours, its line, its rows, its axes."""

import base64
import io
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.drawing.made import NINE, SVG, hints, read, slope, texts
from xortune.drawing import surface_svg
from xortune.drawing.colours import CLASSES, DIVERGING, VIRIDIS, at, css
from xortune.drawing.images import png
from xortune.drawing.plane import _LEFT, _SIDE, _TOP, ticks
from xortune.problems.xor.answer import answer
from xortune.problems.xor.pictures import surface_of

HREF = re.compile(r'href="data:image/png;base64,([^"]+)"')


def images(svg):
    """The images of a drawing, in its order: the field, then the bar."""
    contents = (base64.b64decode(found) for found in HREF.findall(svg))
    return [Image.open(io.BytesIO(content)).convert("RGB") for content in contents]


def paths(svg):
    """The points of the boundary, in the unit square, y upwards."""
    d = next(p.attrib["d"] for p in read(svg).iter(f"{SVG}path"))
    pairs = [tuple(map(float, pair.split())) for pair in re.split("[ML]", d) if pair]
    return [((x - _LEFT) / _SIDE, 1 - (y - _TOP) / _SIDE) for x, y in pairs]


def test_the_field_has_the_colours_of_the_answers_the_lowest_y_at_the_bottom():
    field, bar = images(surface_svg(slope(5), "light"))
    assert field.size == (5, 5)
    for column, share in enumerate((0, 0.25, 0.5, 0.75, 1)):
        wanted = at(DIVERGING["light"], round(share * 255) / 255)
        assert field.getpixel((column, 2)) == wanted
    assert bar.getpixel((0, 0)) == DIVERGING["light"][-1].colour
    assert bar.getpixel((0, bar.size[1] - 1)) == DIVERGING["light"][0].colour


def test_rows_of_answers_go_upwards():
    surface = slope(2, boundary=None, classes=())
    surface = type(surface)(**{**vars(surface), "answers": ((0.0, 0.0), (1.0, 1.0))})
    field, _ = images(surface_svg(surface, "light"))
    assert field.getpixel((0, 0)) == VIRIDIS[-1].colour
    assert field.getpixel((0, 1)) == VIRIDIS[0].colour


def test_an_svg_for_both_themes_has_both_fields():
    assert len(images(surface_svg(slope(), "auto"))) == 4
    assert len(images(surface_svg(slope(), "dark"))) == 2


def test_the_line_is_where_the_answer_is_the_boundary():
    assert all(x == pytest.approx(0.5, abs=1e-4) for x, _ in paths(surface_svg(slope(), "light")))


def test_the_line_of_a_trained_network_is_where_it_answers_a_half():
    surface = surface_of(NINE, "xor")
    low, high = surface.xs[0], surface.xs[-1]
    points = paths(surface_svg(surface, "light"))
    assert len(points) > 50
    for x, y in points:
        inputs = low + x * (high - low), low + y * (high - low)
        assert answer(NINE, inputs) == pytest.approx(0.5, abs=0.02)


def test_the_four_rows_stand_where_they_belong_with_their_labels():
    svg = surface_svg(surface_of(NINE, "xor"), "light")
    assert {h for h in hints(svg) if h.startswith("x0 ")} == {
        "x0 0, x1 0: 0", "x0 0, x1 1: 1", "x0 1, x1 1: 0", "x0 1, x1 0: 1",
    }  # fmt: skip
    circles = {c[0].text: c.attrib for c in read(svg).iter(f"{SVG}circle") if len(c)}
    left_top = circles["x0 0, x1 1: 1"]
    assert float(left_top["cx"]) == pytest.approx(_LEFT + _SIDE / 6, abs=0.01)
    assert float(left_top["cy"]) == pytest.approx(_TOP + _SIDE / 6, abs=0.01)
    assert "d-plus" in left_top["class"]
    assert "d-minus" in circles["x0 0, x1 0: 0"]["class"]
    assert sorted(t for t in texts(svg) if t in ("0", "1"))[:4] == ["0"] * 4


def test_classes_have_colours_of_their_own_and_a_legend():
    axis = (0.0, 1.0, 2.0)
    answers = ((0.0, 1.0, 2.0),) * 3
    names = ("red fox", "green", "blue")
    surface = slope(3, boundary=None, classes=names, points=((0, 0, 2.0),) * 20)
    surface = type(surface)(**{**vars(surface), "xs": axis, "ys": axis, "answers": answers})
    svg = surface_svg(surface, "light")
    (field,) = images(svg)
    assert [field.getpixel((k, 0)) for k in range(3)] == list(CLASSES[:3])
    assert set(names) <= {*texts(svg)}
    assert "x0 0, x1 0: blue" in hints(svg)


def test_rows_with_numbers_are_filled_with_the_colours_of_their_targets():
    points = (*((0.5, 0.5, 0.0),) * 20, (0.5, 0.2, 1.0), (0.5, 0.8, 3.0))
    svg = surface_svg(slope(boundary=None, classes=(), points=points), "light")
    fills = {c[0].text: c.attrib["fill"] for c in read(svg).iter(f"{SVG}circle")}
    # The answers go up to 1; targets beyond have colours too.
    assert fills["x0 0.5, x1 0.5: 0"] == css(VIRIDIS[0].colour)
    assert fills["x0 0.5, x1 0.2: 1"] == css(at(VIRIDIS, 85 / 255))
    assert fills["x0 0.5, x1 0.8: 3"] == css(VIRIDIS[-1].colour)
    field, _ = images(svg)
    assert field.getpixel((20, 0)) == at(VIRIDIS, 85 / 255)
    assert "22 training rows are points in the colours of their targets." in svg


def test_many_classes_are_named_as_far_as_there_is_room():
    names = tuple(f"a class with the number {place}" for place in range(40))
    svg = surface_svg(slope(boundary=None, classes=names, points=((0, 0, 3.0),) * 20))
    assert re.fullmatch(r"and 3\d more", texts(svg)[-1])


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf, -math.inf, 1e300])
def test_strange_answers_are_drawn(value):
    surface = slope(boundary=None, classes=())
    flat = tuple(tuple(value for _ in surface.xs) for _ in surface.ys)
    read(surface_svg(type(surface)(**{**vars(surface), "answers": flat})))


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_a_few_round_numbers_between_the_ends(low, size):
    high = low + size
    if high - low < 1e-9 * abs(low):
        return
    found = ticks(low, high)
    values = [value for value, _ in found]
    assert 2 <= len(found) <= 7
    assert values == sorted(values)
    margin = 1e-6 * (high - low)
    assert all(low - margin <= value <= high + margin for value in values)


@given(
    st.integers(1, 6).flatmap(
        lambda width: st.lists(st.binary(min_size=width, max_size=width), min_size=1, max_size=6)
    ),
    st.binary(min_size=768, max_size=768),
)
def test_an_image_is_read_back_as_it_was(rows, palette):
    colours = [*zip(palette[::3], palette[1::3], palette[2::3])]
    image = Image.open(io.BytesIO(png(rows, colours))).convert("RGB")
    assert image.size == (len(rows[0]), len(rows))
    for y, row in enumerate(rows):
        assert [image.getpixel((x, y)) for x in range(len(row))] == [colours[c] for c in row]
