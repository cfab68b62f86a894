"""The trained numbers of a table's model as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.errors import XortuneError
from xortune.trial import Layout, Weights


def layout_of(inputs: int, outputs: int, params: Mapping[str, Any]) -> Layout:
    """The arrays of a model in the order of its `state_dict()`: `(out, in)` and `(out,)` each."""
    sizes = [inputs, *[params["width"]] * params["depth"], outputs]
    arrays: list[tuple[str, tuple[int, ...]]] = []
    for place, (before, after) in enumerate(pairwise(sizes)):
        arrays.append((f"layers.{place}.weight", (after, before)))
        arrays.append((f"layers.{place}.bias", (after,)))
    return tuple(arrays)


def count_weights(inputs: int, outputs: int, params: Mapping[str, Any]) -> int:
    """The numbers of a model, weights and biases."""
    return sum(math.prod(shape) for _, shape in layout_of(inputs, outputs, params))


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
