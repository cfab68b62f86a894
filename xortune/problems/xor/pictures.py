"""A trained network, and its answers over the plane of its two inputs, for pictures."""

from __future__ import annotations

from collections.abc import Sequence

from xortune.network import Layer, Network, Surface
from xortune.problems.xor.answer import answer
from xortune.problems.xor.tables import TABLES

INPUTS = ("x0", "x1")
OUTPUT = "output"
ACTIVATION = "sigmoid"
BOUNDARY = 0.5
# From -0.25 to 1.25 in steps of 1/64, exact in float32: the corners of the square are among them.
_AXIS = tuple(step / 64 for step in range(-16, 81))


def network_of(weights: Sequence[float]) -> Network:
    """The two layers of a network.

    Args:
        weights: the nine numbers, in the order of `XOR(2, 1).state_dict()`.
    """
    v00, v01, v10, v11, c0, c1, u0, u1, d = weights
    hidden = Layer("fc1", ((v00, v01), (v10, v11)), (c0, c1), ACTIVATION)
    return Network(INPUTS, (OUTPUT,), (hidden, Layer("fc2", ((u0, u1),), (d,), ACTIVATION)))


def surface_of(weights: Sequence[float], data: str) -> Surface:
    """The answers around the unit square, with the four training rows of a data set.

    Args:
        weights: as for `network_of`.
        data: the name of the data set.
    """
    training, _ = TABLES[data]
    points = tuple((x, y, target) for (x, y), target in zip(training.inputs, training.targets))
    answers = tuple(tuple(answer(weights, (x, y)) for x in _AXIS) for y in _AXIS)
    return Surface(INPUTS, _AXIS, _AXIS, answers, BOUNDARY, points, OUTPUT, ("0", "1"))
