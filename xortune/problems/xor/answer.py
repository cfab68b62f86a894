"""The network's answer in float32, without PyTorch, which takes a second to import."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import NamedTuple


class Steps(NamedTuple):
    """The numbers on the way to an answer: the sums of the units, and their sigmoids."""

    sums: tuple[float, float]  # of the hidden units
    hidden: tuple[float, float]
    sum: float  # of the output
    output: float


def answer(weights: Sequence[float], inputs: Sequence[float]) -> float:
    """The output, in (0, 1), for one row of two inputs: PyTorch's, except for the last bit.

    In float32, with the operations in the order of PyTorch on a CPU.

    Args:
        weights: the nine numbers, in the order of `XOR(2, 1).state_dict()`.
        inputs: the row.
    """
    return steps(weights, inputs).output


def steps(weights: Sequence[float], inputs: Sequence[float]) -> Steps:
    """As `answer`, with all that comes before it."""
    v00, v01, v10, v11, c0, c1, u0, u1, d = map(_single, weights)
    x0, x1 = map(_single, inputs)
    z0, z1 = _linear(v00, x0, v01, x1, c0), _linear(v10, x0, v11, x1, c1)
    h0, h1 = _sigmoid(z0), _sigmoid(z1)
    z = _linear(u0, h0, u1, h1, d)
    return Steps((z0, z1), (h0, h1), z, _sigmoid(z))


def _linear(w0: float, x0: float, w1: float, x1: float, bias: float) -> float:
    return _single(_single(_single(w0 * x0) + _single(w1 * x1)) + bias)


def _sigmoid(x: float) -> float:
    """Clamps the exponent: float32's exp is infinite beyond 88.7, Python's raises beyond 709."""
    power = _single(math.exp(min(-x, 100.0))) if x == x else x
    return _single(1 / _single(1 + power))


def _single(x: float) -> float:
    """The nearest float32."""
    return ctypes.c_float(x).value
