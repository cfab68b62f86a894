"""A trained model as other programs take it: its weights, and what inputs and outputs mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

Reading = Literal["", "sigmoid", "pair", "softmax", "units"]


class PortableOutput(NamedTuple):
    """What is made of the last layer's sums.

    Attributes:
        name: of the output.
        reading: nothing; the sigmoid; the probabilities of both of two classes, from one logit;
            of several classes, from as many; or `scale * sum + mean`, in float64.
        scale, mean: for `units`.
    """

    name: str
    reading: Reading = ""
    scale: float = 1.0
    mean: float = 0.0


@dataclass(frozen=True)
class Portable:
    """A trained model without its code.

    Attributes:
        state: the model's `state_dict()`.
        facts: plain values for readers, such as how inputs are prepared.
    """

    state: Mapping[str, Tensor]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class PortableNetwork(Portable):
    """A network of dense layers, whose `state` is the weight, `(out, in)`, and bias of each layer.

    Attributes:
        activation: after each hidden layer: sigmoid, tanh, relu, silu or gelu, the exact one.
        inputs: the names of the inputs.
        outputs: what other programs get of it; a `state_dict()` ends with the last sums.
    """

    activation: str
    inputs: tuple[str, ...]
    outputs: tuple[PortableOutput, ...]
