"""A trained network of dense layers, and its answers over a plane: plain numbers, for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

Row = tuple[float, ...]


class Layer(NamedTuple):
    """One dense layer: `activation(weights @ inputs + biases)`."""

    name: str  # as in the model's `state_dict()`, such as `fc1`
    weights: tuple[Row, ...]  # (outputs, inputs), as `nn.Linear` has them
    biases: Row  # (outputs,)
    activation: str  # its name, such as `sigmoid`; empty for none


@dataclass(frozen=True)
class Network:
    """A trained model as its layers, from the inputs on."""

    inputs: tuple[str, ...]  # their names
    outputs: tuple[str, ...]  # likewise
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Surface:
    """What a model of two inputs answers over a plane, and the rows that it was trained on."""

    inputs: tuple[str, str]  # the names of the axes
    xs: Row  # (n,), ascending
    ys: Row  # (m,), likewise
    answers: tuple[Row, ...]  # (m, n): a row for each of `ys`
    boundary: float | None  # the answer at which the decision changes; None if there is none
    points: tuple[tuple[float, float, float], ...]  # x, y and target of the rows
