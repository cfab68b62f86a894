"""The two data sets as plain numbers: true XOR, and the labels that the lab trains on."""

from __future__ import annotations

from typing import NamedTuple

INPUTS = ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0))


class Table(NamedTuple):
    """Rows of a data set: `B` inputs of two numbers each, and `B` targets."""

    inputs: tuple[tuple[float, float], ...]
    targets: tuple[float, ...]


_XOR = Table(INPUTS, (0.0, 1.0, 0.0, 1.0))
# The lab's labels, in the lab's order of inputs. Row by row they equal the second input: not
# XOR, but a separable problem that training always solves.
_LAB = Table(INPUTS, (0.0, 1.0, 1.0, 0.0))

# The training and the validation rows; in both data sets one is a copy of the other.
TABLES: dict[str, tuple[Table, Table]] = {"xor": (_XOR, _XOR), "lab": (_LAB, _LAB)}
