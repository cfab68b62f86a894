"""The lab's exercise: the output of a trained network, worked out step by step."""

from __future__ import annotations

from collections.abc import Sequence

from xortune.problems.explained import Pass, explained, listed_inputs
from xortune.problems.xor.answer import steps
from xortune.problems.xor.pictures import network_of


def explanation(weights: Sequence[float], inputs: Sequence[float]) -> str:
    """The forward pass for one row of two inputs, ending with the number that `answer` gives.

    Args:
        weights: the nine numbers, in the order of `XOR(2, 1).state_dict()`.
        inputs: the row.
    """
    network, numbers = network_of(weights), steps(weights, inputs)
    passes = [Pass(numbers.sums, numbers.hidden), Pass((numbers.sum,), (numbers.output,))]
    lines = [*listed_inputs(network, inputs, ("", "")), *explained(network, inputs, passes)]
    return "\n".join(lines) + "\n"
