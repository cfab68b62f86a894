"""The lab's XOR as a `Problem`. Only its models import PyTorch, which takes a second."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError
from xortune.plain_numbers import brief, real_number
from xortune.problems.problem import Example, Examples
from xortune.problems.xor.graph import GRAPH
from xortune.problems.xor.spec import LAYOUT, SPEC
from xortune.problems.xor.tables import TABLES
from xortune.trial import Params, Weights

if TYPE_CHECKING:
    from xortune.problems.xor.model import XOR

_INPUTS = 2


class XORProblem:
    """See `xortune.problems.problem.Problem`.

    Args:
        data: the name of the data set.
    """

    spec = SPEC
    graph = GRAPH

    def __init__(self, data: str) -> None:
        self.data = data

    def model(self, params: Params, weights: Weights) -> XOR:
        from xortune.problems.xor.model import trained_model

        return trained_model(weights.numbers())

    def predict(self, params: Params, weights: Weights, inputs: Any) -> float:
        """The output for one row of inputs."""
        row = [real_number(value) for value in inputs] if isinstance(inputs, Iterable) else []
        numbers = [value for value in row if value is not None and math.isfinite(value)]
        if not len(numbers) == len(row) == _INPUTS:
            raise UsageError(
                f"inputs {brief(inputs)}: the model takes {_INPUTS} inputs, all of them finite "
                "numbers."
            )
        return answer(weights.numbers(), numbers)

    def examples(self, params: Params, weights: Weights) -> Examples:
        """The truth table: the four validation rows, and the output for each.

        Raises:
            UsageError: the weights are those of another model.
        """
        if weights.layout != LAYOUT:
            raise UsageError("the weights are not those of the lab's network: they are damaged.")
        table, numbers = TABLES[self.data][1], weights.numbers()
        rows = zip(table.inputs, table.targets)
        return Examples(
            ("x0", "x1"),
            tuple(Example(row, target, answer(numbers, row)) for row, target in rows),
        )


# Its name where no problem is named.
made_with = XORProblem


def answer(weights: Sequence[float], inputs: Sequence[float]) -> float:
    """The output, in (0, 1), for one row of two inputs: PyTorch's, except for the last bit.

    In float32, with the operations in the order of PyTorch on a CPU.

    Args:
        weights: the nine numbers, in the order of `XOR(2, 1).state_dict()`.
        inputs: the row.
    """
    v00, v01, v10, v11, c0, c1, u0, u1, d = map(_single, weights)
    x0, x1 = map(_single, inputs)
    h0 = _sigmoid(_linear(v00, x0, v01, x1, c0))
    h1 = _sigmoid(_linear(v10, x0, v11, x1, c1))
    return _sigmoid(_linear(u0, h0, u1, h1, d))


def _linear(w0: float, x0: float, w1: float, x1: float, bias: float) -> float:
    return _single(_single(_single(w0 * x0) + _single(w1 * x1)) + bias)


def _sigmoid(x: float) -> float:
    """Clamps the exponent: float32's exp is infinite beyond 88.7, Python's raises beyond 709."""
    power = _single(math.exp(min(-x, 100.0))) if x == x else x
    return _single(1 / _single(1 + power))


def _single(x: float) -> float:
    """The nearest float32."""
    return ctypes.c_float(x).value
