"""The lab's XOR as a `Problem`; its first model imports PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xortune.problems.xor.answer import answer
from xortune.problems.xor.graph import GRAPH
from xortune.problems.xor.spec import SPEC
from xortune.trial import Params, Weights

if TYPE_CHECKING:
    from xortune.problems.xor.model import XOR


class XORProblem:
    """See `xortune.problems.problem.Problem`.

    Args:
        data: the name of the data set.
    """

    spec = SPEC
    graph = GRAPH
    inputs = 2

    def __init__(self, data: str) -> None:
        self.data = data

    def model(self, params: Params, weights: Weights) -> XOR:
        from xortune.problems.xor.model import trained_model

        return trained_model(weights.numbers())

    def predict(self, params: Params, weights: Weights, inputs: Sequence[float]) -> float:
        return answer(weights.numbers(), inputs)


# Its name where no problem is named.
made_with = XORProblem
