"""The lab's XOR as a `Problem`. Only its models import PyTorch, which takes a second."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError
from xortune.network import Network, Surface
from xortune.plain_numbers import brief, real_number
from xortune.problems.portable import PortableNetwork, PortableOutput
from xortune.problems.problem import Example, Examples
from xortune.problems.xor.answer import answer
from xortune.problems.xor.explained import explanation
from xortune.problems.xor.graph import GRAPH
from xortune.problems.xor.pictures import ACTIVATION, INPUTS, OUTPUT, network_of, surface_of
from xortune.problems.xor.spec import LAYOUT, SPEC
from xortune.problems.xor.tables import TABLES
from xortune.spec import GraphNode
from xortune.trial import Params, Weights

if TYPE_CHECKING:
    from xortune.problems.xor.model import XOR

_NUMBERS = sum(math.prod(shape) for _, shape in LAYOUT)


class XORProblem:
    """See `xortune.problems.problem.Problem`.

    Args:
        data: the name of the data set.
    """

    spec = SPEC
    has_models = True

    def __init__(self, data: str) -> None:
        self.data = data

    def graph(self, params: Params) -> Sequence[GraphNode]:
        return GRAPH

    def model(self, params: Params, weights: Weights) -> XOR:
        from xortune.problems.xor.model import trained_model

        return trained_model(_nine(weights))

    def predict(self, params: Params, weights: Weights, inputs: Any) -> float:
        """The output for one row of inputs."""
        return answer(_nine(weights), _row(inputs))

    def explain(self, params: Params, weights: Weights, inputs: Any) -> str:
        return explanation(_nine(weights), _row(inputs))

    def network(self, params: Params, weights: Weights) -> Network:
        return network_of(_nine(weights))

    def surface(self, params: Params, weights: Weights) -> Surface:
        return surface_of(_nine(weights), self.data)

    def portable(self, params: Params, weights: Weights) -> PortableNetwork:
        state = self.model(params, weights).state_dict()
        output = PortableOutput(OUTPUT, "sigmoid")
        return PortableNetwork(state, {"data": self.data}, ACTIVATION, INPUTS, (output,))

    def examples(self, params: Params, weights: Weights) -> Examples:
        """The truth table: the four validation rows, and the output for each.

        Raises:
            UsageError: the weights are those of another model.
        """
        table, numbers = TABLES[self.data][1], _nine(weights)
        rows = zip(table.inputs, table.targets)
        return Examples(
            INPUTS,
            tuple(Example(row, target, answer(numbers, row)) for row, target in rows),
        )


def _nine(weights: Weights) -> tuple[float, ...]:
    """The numbers of a trained network; raises UsageError if they are another model's."""
    numbers = weights.numbers()
    if len(numbers) != _NUMBERS:
        raise UsageError("the weights are not those of the lab's network: they are damaged.")
    return numbers


def _row(inputs: Any) -> list[float]:
    """One row of inputs; raises UsageError if it is something else."""
    row = [real_number(value) for value in inputs] if isinstance(inputs, Iterable) else []
    numbers = [value for value in row if value is not None and math.isfinite(value)]
    if not len(numbers) == len(row) == len(INPUTS):
        raise UsageError(
            f"inputs {brief(inputs)}: the model takes {len(INPUTS)} inputs, all of them finite "
            "numbers."
        )
    return numbers


# Its name where no problem is named.
made_with = XORProblem
