"""What a problem is to the rest: its spec, and what reads a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from xortune.spec import GraphNode, ProblemSpec
from xortune.trial import Params, Weights


class Problem(Protocol):
    """What a trial trains.

    Attributes:
        spec: what of it is plain data.
        data: the name of its data, recorded.
        graph: the model's graph; empty where there is none to show.
        inputs: how many numbers a row of input holds.
    """

    @property
    def spec(self) -> ProblemSpec: ...

    @property
    def data(self) -> str: ...

    @property
    def graph(self) -> Sequence[GraphNode]: ...

    @property
    def inputs(self) -> int: ...

    def model(self, params: Params, weights: Weights) -> Any:
        """The trained model, a `torch.nn.Module`."""

    def predict(self, params: Params, weights: Weights, inputs: Sequence[float]) -> float:
        """What the trained model answers to one row of input; imports no PyTorch."""
