"""The protocol of a problem: its spec, and its trained models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from xortune.spec import GraphNode, ProblemSpec
from xortune.trial import Params, Weights


class Problem(Protocol):
    """A model, its data and its metrics."""

    @property
    def spec(self) -> ProblemSpec:
        """The part that is plain data."""

    @property
    def data(self) -> str:
        """The recorded name of its data."""

    @property
    def graph(self) -> Sequence[GraphNode]:
        """The model's graph for TensorBoard; may be empty."""

    @property
    def inputs(self) -> int:
        """The numbers in a row of inputs."""

    def model(self, params: Params, weights: Weights) -> Any:
        """The trained model, a `torch.nn.Module`."""

    def predict(self, params: Params, weights: Weights, inputs: Sequence[float]) -> float:
        """The trained model's output for one row of inputs, without PyTorch."""
