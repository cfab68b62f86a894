"""A trained network of dense layers, and its answers over a plane: plain numbers, for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

Row = tuple[float, ...]
# The most weights and biases of a network that is described: enough for any picture.
MOST_NUMBERS = 2**20


class Layer(NamedTuple):
    """One dense layer: `activation(weights @ inputs + biases)`."""

    name: str  # as in the model's `state_dict()`, such as `fc1`
    weights: tuple[Row, ...]  # (outputs, inputs), as `nn.Linear` has them
    biases: Row  # (outputs,)
    activation: str  # its name, such as `sigmoid`; empty for none


@dataclass(frozen=True)
class Network:
    """A trained model as its layers, from the inputs on; the last one gives its answers.

    The numbers are those of the model, float32. Where a prediction is a probability, the last
    activation makes it one; where it is a number in other units, `unit_scale` and `unit_mean` do:
    `unit_scale * output + unit_mean`.
    """

    inputs: tuple[str, ...]  # their names
    outputs: tuple[str, ...]  # likewise
    layers: tuple[Layer, ...]
    unit_scale: float = 1.0
    unit_mean: float = 0.0

    @property
    def sizes(self) -> tuple[int, ...]:
        """The units of each column: the inputs, then the outputs of each layer."""
        return (len(self.inputs), *(len(layer.biases) for layer in self.layers))

    def unit(self, column: int, place: int) -> str:
        """The name of a unit: of an input, of an output, or as `h0`, in several layers `h2.0`.

        Args:
            column: 0 for the inputs, then the layers.
            place: in the column, from 0.
        """
        if column == 0:
            return self.inputs[place]
        if column == len(self.layers):
            return self.outputs[place]
        return f"h{place}" if len(self.layers) == 2 else f"h{column}.{place}"


@dataclass(frozen=True)
class Surface:
    """What a model of two inputs answers over a plane, and the rows that it was trained on."""

    inputs: tuple[str, str]  # the names of the axes
    xs: Row  # (n,), ascending
    ys: Row  # (m,), likewise
    answers: tuple[Row, ...]  # (m, n): a row for each of `ys`
    boundary: float | None  # the answer at which the decision changes; None if there is none
    points: tuple[tuple[float, float, float], ...]  # x, y and target of the rows
    answer: str = "output"  # what the answers are, such as the name of the target
    # The names of the classes. Of two, the answers are probabilities of the second; of several,
    # their numbers, from 0. Targets are their numbers. Empty if no classes are learnt.
    classes: tuple[str, ...] = ()
