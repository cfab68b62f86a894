"""What a trial's trained model is made of, as plain numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xortune.errors import XortuneError
from xortune.studies.problems import kind_of, problem_of
from xortune.studies.study import Study
from xortune.trial import Weights

if TYPE_CHECKING:
    from xortune.problems.problem import Examples

Row = tuple[float, ...]


@dataclass(frozen=True)
class Array:
    """An array of weights."""

    name: str
    shape: tuple[int, ...]
    numbers: Row  # rows first

    @property
    def rows(self) -> list[Row]:
        """The numbers along the last axis, row by row."""
        width = self.shape[-1] if self.shape else 1
        return [self.numbers[at : at + width] for at in range(0, len(self.numbers), width or 1)]

    @property
    def norm(self) -> float:
        """The Euclidean norm."""
        return math.hypot(*self.numbers)


@dataclass(frozen=True)
class Trained:
    """A trial's weights, and its answers to all rows of a problem that keeps a few."""

    arrays: Sequence[Array] = ()
    examples: Examples | None = None
    missing: str | None = None  # why there are no weights; None where there are, or never were


def trained_of(study: Study, number: int) -> Trained:
    """The model of a complete trial, without PyTorch where its weights are kept.

    Raises:
        UsageError: its problem is unknown, or its weights are those of another model.
    """
    if kind_of(study.settings.problem).is_function:
        return Trained()  # A function leaves numbers, and no model.
    problem = problem_of(study.settings)
    try:
        found, weights = study._trained(number)
    except XortuneError as error:
        return Trained(missing=str(error))
    return Trained([*_arrays(weights)], problem.examples(found.trial.params, weights))


def nested(array: Array) -> Any:
    """The numbers of an array as lists within lists, as its shape has them."""
    numbers: list[Any] = list(array.numbers)
    for size in reversed(array.shape[1:]):
        numbers = [numbers[at : at + size] for at in range(0, len(numbers), size or 1)]
    return numbers if array.shape else numbers[0]


def predicting(study: Study, number: int, trained: Trained) -> Mapping[str, Any]:
    """The arguments of `predict` that ask this model: `inputs`, or `data`; empty without a model.

    The inputs are those of the row with the highest target. Of a module the file of its code comes
    with them, as `problem`; code without a file is known to its caller alone.
    """
    kind = kind_of(study.settings.problem)
    if not trained.arrays:
        return {}
    if kind.named_by == "data":
        return {"data": "NEW.csv"}
    if kind.named_by == "problem":
        file = study.settings.problem.get("file")
        return {"data": "NEW.csv", "problem": str(file)} if file else {}
    if trained.examples is None:
        return {}
    return {"inputs": max(trained.examples.rows, key=lambda row: row.target).inputs}


def _arrays(weights: Weights) -> Iterator[Array]:
    numbers, at = weights.numbers(), 0
    for name, shape in weights.layout:
        size = math.prod(shape)
        yield Array(name, shape, numbers[at : at + size])
        at += size
