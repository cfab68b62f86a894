"""The model of a table: a multilayer perceptron, described by plain values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from xortune.problems.table.weights import arrays_of
from xortune.trial import Weights

Activate = Callable[[Tensor], Tensor]
# The weight, `(out, in)`, and the bias, `(out,)`, of each layer.
Layers = Sequence[tuple[Tensor, Tensor]]

_ACTIVATE: Mapping[str, Activate] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "silu": F.silu,
    "sigmoid": torch.sigmoid,
}
# The most numbers of a layer's output while a model is measured.
_MOST_NUMBERS = 2**21


class Linear(nn.Linear):
    """A layer that draws no weights: they are arbitrary until they are set."""

    def reset_parameters(self) -> None:
        """Does nothing; `nn.Linear` would draw from the global generator."""


class MLP(nn.Module):
    """Fully connected layers: `depth` hidden ones, each followed by activation and dropout.

    Its weights are arbitrary until they are set: see `seeded_model` and `trained_model`.

    Args:
        inputs: `d`, the numbers in a row.
        outputs: the numbers to predict, before any softmax or sigmoid.
        width: the units of each hidden layer.
        depth: the number of hidden layers; 0 for a linear model.
        activation: one of `ACTIVATIONS`; `gelu` is the exact one.
        dropout: the probability that training drops a unit. The engines of xortune draw their
            own; this is for training that goes on elsewhere.
    """

    def __init__(
        self, inputs: int, outputs: int, width: int, depth: int, activation: str, dropout: float
    ) -> None:
        super().__init__()
        sizes = [inputs, *[width] * depth, outputs]
        self.layers = nn.ModuleList(
            Linear(before, after, device="cpu", dtype=torch.float32)
            for before, after in pairwise(sizes)
        )
        self.activation = activation
        self.dropout = dropout

    @property
    def pairs(self) -> Layers:
        """The weight and the bias of each layer."""
        return [(layer.weight, layer.bias) for layer in self.layers]  # type: ignore[misc]

    def forward(self, x: Tensor) -> Tensor:
        """Numbers or logits: `(B, inputs)` to `(B, outputs)`."""

        def dropped(place: int, hidden: Tensor) -> Tensor:
            return F.dropout(hidden, self.dropout)

        drops = self.training and self.dropout > 0
        return outputs_of(self.pairs, activate(self.activation), x, dropped if drops else None)


def activate(name: str) -> Activate:
    """The activation of this name, one of `ACTIVATIONS`."""
    return _ACTIVATE[name]


def outputs_of(
    layers: Layers,
    activate: Activate,
    x: Tensor,
    dropped: Callable[[int, Tensor], Tensor] | None = None,
) -> Tensor:
    """A model's outputs: `(B, inputs)` to `(B, outputs)`.

    Args:
        layers: of the model.
        activate: applied after each hidden layer.
        x: the rows.
        dropped: applied after that, given the hidden layer's place, from 0, and `(B, width)`.
    """
    last = len(layers) - 1
    for place, (weight, bias) in enumerate(layers):
        x = F.linear(x, weight, bias)
        if place < last:
            x = activate(x)
            if dropped is not None:
                x = dropped(place, x)
    return x


def measured_outputs(
    layers: Layers,
    activate: Activate,
    x: NDArray[np.float32],
    heartbeat: Callable[[], None] = lambda: None,
) -> NDArray[np.float32]:
    """A model's outputs for all rows, without gradients or dropout: `(n, d)` to `(n, outputs)`.

    Rows are taken in parts of a size that depends on the model alone, which bounds the memory
    and fixes the bits.
    """
    weights = [weight for weight, _ in layers]
    most = max(1, _MOST_NUMBERS // max(max(weight.shape) for weight in weights))
    outputs = np.empty((len(x), len(weights[-1])), np.float32)
    with torch.inference_mode():
        for start in range(0, len(x), most):
            heartbeat()
            part = aligned(x[start : start + most])
            outputs[start : start + most] = outputs_of(layers, activate, part).numpy()
    return outputs


def aligned(rows: NDArray[Any]) -> Tensor:
    """A copy of some rows in PyTorch's own memory.

    There every copy has the same alignment, which kernels may round by; NumPy's memory, and Ray's,
    begins anywhere.
    """
    kind = torch.float32 if rows.dtype == np.float32 else torch.int64
    copy = torch.empty(rows.shape, dtype=kind, device="cpu")
    copy.numpy()[...] = rows
    return copy


def made_model(inputs: int, outputs: int, params: Mapping[str, Any]) -> MLP:
    """The model of a trial, with arbitrary weights."""
    names = ("width", "depth", "activation", "dropout")
    return MLP(inputs, outputs, *(params[name] for name in names))


def seeded_model(inputs: int, outputs: int, params: Mapping[str, Any]) -> MLP:
    """The model of a trial before training.

    Its weights are those of `torch.manual_seed(params["seed"])` followed by `nn.Linear` for each
    layer in its order; the global generator is left alone.
    """
    model = made_model(inputs, outputs, params)
    generator = torch.Generator(device="cpu").manual_seed(params["seed"])
    for weight, bias in model.pairs:
        # As in nn.Linear.reset_parameters.
        nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
        bound = 1 / math.sqrt(weight.shape[1])
        nn.init.uniform_(bias, -bound, bound, generator=generator)
    return model


def trained_model(inputs: int, outputs: int, params: Mapping[str, Any], weights: Weights) -> MLP:
    """The model of a trial with its trained weights, in evaluation mode.

    Raises:
        XortuneError: the weights are those of another model.
    """
    model = made_model(inputs, outputs, params)
    for tensor, array in zip(model.parameters(), arrays_of(inputs, outputs, params, weights)):
        tensor.data.numpy()[...] = array
    return model.eval()


def weights_of(model: MLP) -> Weights:
    """The numbers of a model, in the order of its `state_dict()`."""
    arrays = [(name, tensor.numpy()) for name, tensor in model.state_dict().items()]
    content = b"".join(np.ascontiguousarray(array, "<f4").tobytes() for _, array in arrays)
    return Weights(tuple((name, array.shape) for name, array in arrays), content)
