"""The trained numbers of a table's model as arrays, and its answers without PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.errors import XortuneError
from xortune.trial import Layout, Weights

Floats = NDArray[np.float32]


def layout_of(inputs: int, outputs: int, params: Mapping[str, Any]) -> Layout:
    """The arrays of a model in the order of its `state_dict()`: `(out, in)` and `(out,)` each."""
    sizes = [inputs, *[params["width"]] * params["depth"], outputs]
    arrays: list[tuple[str, tuple[int, ...]]] = []
    for place, (before, after) in enumerate(pairwise(sizes)):
        arrays.append((f"layers.{place}.weight", (after, before)))
        arrays.append((f"layers.{place}.bias", (after,)))
    return tuple(arrays)


def arrays_of(
    inputs: int, outputs: int, params: Mapping[str, Any], weights: Weights
) -> list[NDArray[np.float32]]:
    """A trial's trained weights, as arrays of the shapes in `layout_of`.

    Raises:
        XortuneError: the weights are those of another model.
    """
    layout = layout_of(inputs, outputs, params)
    sizes = [math.prod(shape) for _, shape in layout]
    if weights.layout != layout or len(weights.content) != 4 * sum(sizes):
        raise XortuneError(
            f"the stored weights do not fit a model of {inputs} inputs, {params['depth']} hidden "
            f"layers of {params['width']} units and {outputs} outputs: they are of another trial "
            "or another table."
        )
    flat = np.frombuffer(weights.content, "<f4")
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, (_, shape) in zip(parts, layout)]


def answer(arrays: list[Floats], activation: str, x: Floats) -> Floats:
    """A model's outputs for one row: `(d,)` to `(outputs,)`; PyTorch's, except for the last bits.

    Args:
        arrays: weight and bias of each layer, as `arrays_of` gives them.
        activation: one of `ACTIVATIONS`.
        x: the row.
    """
    activate = _ACTIVATE[activation]
    with np.errstate(all="ignore"):
        for place in range(0, len(arrays), 2):
            x = arrays[place] @ x + arrays[place + 1]
            if place + 2 < len(arrays):
                x = activate(x)
    return x


def _sigmoid(x: Floats) -> Floats:
    """Like PyTorch's, 0 where the exponential overflows."""
    one = np.float32(1)
    output: Floats = one / (one + np.exp(-x))
    return output


def _gelu(x: Floats) -> Floats:
    """x times the normal distribution's cumulative probability of x."""
    return np.array([v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in x.tolist()], np.float32)


_ACTIVATE: Mapping[str, Callable[[Floats], Floats]] = {
    "relu": lambda x: np.maximum(x, np.float32(0)),
    "tanh": np.tanh,
    "gelu": _gelu,
    "silu": lambda x: x * _sigmoid(x),
    "sigmoid": _sigmoid,
}
