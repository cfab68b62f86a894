"""What a module's outputs say, as far as its final loss tells, as a DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xortune.problems.module.rows import Array
from xortune.problems.table.problem import (
    PREDICTION,
    TableProblem,
    predictions_frame,
    probabilities,
)

if TYPE_CHECKING:
    from pandas import DataFrame

VALUES = ("mse", "mae", "huber")


def answers_of(outputs: Array, loss: Any, table: TableProblem | None, index: Any) -> DataFrame:
    """The columns of predictions: one row for every row.

    Args:
        outputs: of the module, `(n,)` or `(n, ...)`.
        loss: the final one: the name of a loss of ours, or a function.
        table: the problem of the table that it learns from; None for data of its own.
        index: of the rows; None counts them.

    Returns:
        Where the loss has numbers to compare, and there is one a row, `prediction`, of a table in
        the target's own units. Where it has classes, `prediction`, and for each of them its
        probability, as `p_0`, or of a table `p_NAME`. Otherwise the outputs as they are, as
        `output_0`, `output_1` ..., the last axis first.
    """
    flat = outputs.reshape(len(outputs), -1)
    if table is not None:
        logits = _as_of_a_table(flat, outputs.ndim, loss, table)
        return _raw(flat, index) if logits is None else table.read(logits, index)
    if loss in VALUES and flat.shape[1] == 1:
        return predictions_frame({PREDICTION: flat[:, 0]}, index)
    classes = loss == "cross_entropy" and outputs.ndim == 2
    if classes or (loss == "bce_with_logits" and flat.shape[1] == 1):
        chances = _shares(flat) if classes else probabilities(flat)
        columns = {PREDICTION: chances.argmax(axis=1)}
        columns |= {f"p_{place}": chances[:, place] for place in range(chances.shape[1])}
        return predictions_frame(columns, index)
    return _raw(flat, index)


def _as_of_a_table(flat: Array, axes: int, loss: Any, table: TableProblem) -> Array | None:
    """The outputs as those of the table's own model; None if they mean something else."""
    target = table.target
    if target.task == "regression":
        return flat if loss in VALUES and flat.shape[1] == 1 else None
    if loss == "cross_entropy" and axes == 2 and flat.shape[1] == len(target.classes):
        # Of two classes a table's model has one logit, that of the second.
        return flat[:, 1:] - flat[:, :1] if target.task == "binary" else flat
    is_one_logit = loss == "bce_with_logits" and flat.shape[1] == 1
    return flat if is_one_logit and target.task == "binary" else None


def _shares(logits: Array) -> Array:
    """The probabilities of classes: 1 for a single one, which `probabilities` takes for two."""
    return probabilities(logits) if logits.shape[1] > 1 else np.ones_like(logits)


def _raw(flat: Array, index: Any) -> DataFrame:
    return predictions_frame(
        {f"output_{place}": flat[:, place] for place in range(flat.shape[1])}, index
    )
