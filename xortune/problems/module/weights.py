"""The trained numbers of a module: its parameters and buffers as arrays of float32."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from xortune.errors import UsageError, XortuneError
from xortune.trial import Layout, Weights

if TYPE_CHECKING:
    from torch import Tensor, nn


def layout_of(module: nn.Module) -> Layout:
    """The arrays of a module, in the order of its `state_dict()`.

    Raises:
        TypeError: it has an extra state that is no array.
    """
    for name, value in module.state_dict().items():
        if not hasattr(value, "shape"):
            raise TypeError(
                f"{name} of the model is of the type {type(value).__name__}, and a study keeps "
                "numbers alone: use a buffer, by register_buffer"
            )
    return tuple((name, tuple(tensor.shape)) for name, tensor in module.state_dict().items())


def weights_of(state: Mapping[str, Tensor]) -> Weights:
    """The numbers of a `state_dict()`; whole ones, such as counts of batches, as float32, too."""
    arrays = [(name, tensor.detach().cpu().numpy()) for name, tensor in state.items()]
    content = b"".join(np.ascontiguousarray(array, "<f4").tobytes() for _, array in arrays)
    return Weights(tuple((name, array.shape) for name, array in arrays), content)


def state_of(weights: Weights) -> dict[str, Tensor]:
    """The numbers by the names of a `state_dict()`, whose module converts whole ones.

    Raises:
        UsageError: they are more or fewer than their names say.
    """
    import torch

    numbers, at = np.frombuffer(weights.content, "<f4"), 0
    sizes = [math.prod(shape) for _, shape in weights.layout]
    if sum(sizes) != len(numbers):
        raise UsageError("the weights are not those of their module: they are damaged.")
    state = {}
    for (name, shape), size in zip(weights.layout, sizes):
        state[name] = torch.from_numpy(numbers[at : at + size].astype(np.float32).reshape(shape))
        at += size
    return state


def set_weights(module: nn.Module, weights: Weights) -> None:
    """Gives a module trained numbers, each in the type that it has there.

    Raises:
        XortuneError: the weights are those of another module.
    """
    import torch

    layout = layout_of(module)
    size = 4 * sum(math.prod(shape) for _, shape in layout)
    if tuple(weights.layout) != layout or len(weights.content) != size:
        raise XortuneError(
            "the trained weights are those of another module: "
            f"{_listed(weights.layout)} there, and {_listed(layout)} here."
        )
    numbers, at = np.frombuffer(weights.content, "<f4"), 0
    with torch.no_grad():
        for tensor in module.state_dict().values():
            array = numbers[at : at + tensor.numel()].reshape(tensor.shape)
            tensor.copy_(torch.from_numpy(array.copy()))
            at += tensor.numel()


def _listed(layout: Layout) -> str:
    return ", ".join(f"{name} {'x'.join(map(str, shape)) or '1'}" for name, shape in layout[:8])
