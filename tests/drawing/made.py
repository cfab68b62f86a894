"""Networks and surfaces to draw, and what can be read from a drawing."""

from __future__ import annotations

import random
import re
from itertools import pairwise
from xml.etree import ElementTree

from xortune.drawing.elements import MINUS
from xortune.network import Layer, Network, Surface

# A trained network of the lab; all nine numbers differ.
NINE = (-7.485, -7.484, -9.21, -9.205, 11.19, 4.117, 19.39, -19.7, -9.419)
SVG = "{http://www.w3.org/2000/svg}"


def lab(numbers=NINE) -> Network:
    v00, v01, v10, v11, c0, c1, u0, u1, d = numbers
    hidden = Layer("fc1", ((v00, v01), (v10, v11)), (c0, c1), "sigmoid")
    return Network(("x0", "x1"), ("output",), (hidden, Layer("fc2", ((u0, u1),), (d,), "sigmoid")))


def mlp(*sizes: int, names=None) -> Network:
    """A network of such sizes, its weights drawn with a fixed seed."""
    draw = random.Random(0)
    layers = []
    for place, (before, after) in enumerate(pairwise(sizes)):
        weights = tuple(tuple(draw.uniform(-1, 1) for _ in range(before)) for _ in range(after))
        biases = tuple(draw.uniform(-1, 1) for _ in range(after))
        layers.append(Layer(f"layers.{place}", weights, biases, "relu"))
    inputs = tuple(names or (f"column {place}" for place in range(sizes[0])))
    return Network(inputs, tuple(f"y{place}" for place in range(sizes[-1])), tuple(layers))


def slope(count: int = 21, **more) -> Surface:
    """Answers from 0 to 1 that grow along x alone: 0.5 is at x = 0.5."""
    axis = tuple(place / (count - 1) for place in range(count))
    points = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    given = {"boundary": 0.5, "points": points, "classes": ("0", "1"), **more}
    return Surface(("x0", "x1"), axis, axis, tuple(axis for _ in axis), **given)


def read(svg: str) -> ElementTree.Element:
    """The SVG as an XML parser reads it; no part of it is outside the format."""
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    """What is written in the drawing."""
    return ["".join(text.itertext()) for text in read(svg).iter(f"{SVG}text")]


def numbers(svg: str) -> list[float]:
    """The numbers among its texts, and the biases."""
    found = (re.fullmatch(r"(?:b = )?([-\d.e+]+)", t.replace(MINUS, "-")) for t in texts(svg))
    return [float(match[1]) for match in found if match]


def hints(svg: str) -> list[str]:
    """What is shown when the pointer rests on a part."""
    root = read(svg)
    return [title.text or "" for title in root.iter(f"{SVG}title") if title is not root[0]]
