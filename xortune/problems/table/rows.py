"""The rows of a prepared table, as the engines take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xortune.problems.table.tasks import TASKS as TASKS
from xortune.problems.table.tasks import Task as Task


class Rows(NamedTuple):
    """Some rows of a table.

    `x` holds the inputs, float32 of shape `(n, d)`; `y` the targets: float32 of shape `(n,)`,
    standardised for regression, 0 or 1 for binary; int64 of shape `(n,)`, from 0, for classes.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32] | NDArray[np.int64]


@dataclass(frozen=True)
class Target:
    """What is learnt, as plain values: the task, and how to read the model's outputs.

    Attributes:
        task: one of `TASKS`.
        classes: the names of the classes in the order of their numbers; empty for regression.
        mean: for regression, what was subtracted from the target.
        scale: for regression, what it was then divided by; metrics are in the target's own units.
    """

    task: Task
    classes: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    @property
    def outputs(self) -> int:
        """The outputs of a model: one logit or number, or one logit per class."""
        return len(self.classes) if self.task == "classes" else 1


class Fold(NamedTuple):
    """One of several ways to divide the rows of a table, with the target as it was fitted there."""

    training: Rows
    validation: Rows
    target: Target
