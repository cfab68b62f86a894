"""The protocol of a problem: its spec, and its trained models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from xortune.network import Network, Surface
from xortune.problems.portable import Portable
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
    def has_models(self) -> bool:
        """Whether its trials leave models; if not, all that need one raise UsageError."""

    def graph(self, params: Params) -> Sequence[GraphNode]:
        """The graph of a trial's model for TensorBoard; may be empty."""

    def model(self, params: Params, weights: Weights) -> Any:
        """The trained model, a `torch.nn.Module`."""

    def predict(self, params: Params, weights: Weights, inputs: Any) -> Any:
        """The trained model's answer to inputs of the problem's own kind.

        Raises:
            UsageError: the inputs are not of that kind.
        """

    def network(self, params: Params, weights: Weights) -> Network | None:
        """The trained model as its layers.

        None: it has no layers, or more than `xortune.network.MOST_NUMBERS` weights.
        """

    def surface(self, params: Params, weights: Weights) -> Surface | None:
        """What the trained model answers over the plane of its two inputs.

        None: it has another number of inputs, or they are not numbers.
        """

    def explain(self, params: Params, weights: Weights, inputs: Any) -> str:
        """The trained model's answer, worked out step by step, at most 80 columns wide.

        Of several rows it explains the first. Its last number is that of `predict`.

        Raises:
            UsageError: the inputs are not of the problem's kind, or the model is too large.
        """

    def portable(self, params: Params, weights: Weights) -> Portable:
        """The trained model as other programs take it."""

    def examples(self, params: Params, weights: Weights) -> Examples | None:
        """The trained model's answers to all rows; None unless the problem keeps a few rows.

        Raises:
            UsageError: the weights are those of another model, or the problem has no models.
        """
