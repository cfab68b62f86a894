"""The protocol of a problem: its spec, and its trained models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from xortune.spec import GraphNode, ProblemSpec
from xortune.trial import Params, Weights


class Example(NamedTuple):
    """A row of a problem's data, and what a trained model makes of it."""

    inputs: tuple[float, ...]
    target: float
    answer: float


class Examples(NamedTuple):
    """All rows of a problem that has few."""

    names: tuple[str, ...]  # of the inputs
    rows: tuple[Example, ...]


class Problem(Protocol):
    """What a trial trains: a model, its data and its metrics."""

    @property
    def spec(self) -> ProblemSpec:
        """The part that is plain data."""

    @property
    def data(self) -> str:
        """The recorded name of its data; empty if it has none."""

    @property
    def graph(self) -> Sequence[GraphNode]:
        """The model's graph for TensorBoard; may be empty."""

    def model(self, params: Params, weights: Weights) -> Any:
        """The trained model, a `torch.nn.Module`."""

    def predict(self, params: Params, weights: Weights, inputs: Any) -> Any:
        """The trained model's answer to inputs of the problem's own kind.

        Raises:
            UsageError: the inputs are not of that kind.
        """

    def examples(self, params: Params, weights: Weights) -> Examples | None:
        """The trained model's answers to all rows; None unless the problem keeps a few rows.

        Raises:
            UsageError: the weights are those of another model, or the problem has no models.
        """
