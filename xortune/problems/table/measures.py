"""The losses and scores of a model's outputs: one yardstick for every trial of a table.

They are computed in double precision, by NumPy, from float32 outputs of shape `(n, outputs)` and
the targets of `Rows`, of shape `(n,)`. What overflows is infinite or NaN, without a warning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.problems.table.rows import Target

Doubles = NDArray[np.float64]
_DELTA = 1.0  # of the Huber loss, as in nn.HuberLoss


def loss_of(name: str, outputs: NDArray[np.float32], y: NDArray[Any]) -> float:
    """The mean of a loss over some rows; NaN without rows.

    Args:
        name: a loss of `METRICS`, or of `LOSS_FNS`: both are measured alike.
        outputs: of the model, `(n, outputs)`.
        y: the targets, `(n,)`.
    """
    if not len(y):
        return math.nan
    with np.errstate(all="ignore"):
        return float(np.mean(_LOSSES[name](outputs.astype(np.float64), y)))


def measured(target: Target, outputs: NDArray[np.float32], y: NDArray[Any]) -> dict[str, float]:
    """The table's metrics by name, in the order of `METRICS`; NaN where one has no value.

    `r2` has none where all targets are equal, `auc` where all rows are of one class.

    Args:
        target: the task, and the target's own scale.
        outputs: of the model, `(n, outputs)`.
        y: the targets, `(n,)`.
    """
    with np.errstate(all="ignore"):
        if target.task == "regression":
            return _regression(outputs, y, target.scale)
        if target.task == "binary":
            hits = (outputs[:, 0] > 0) == (y > 0.5)
            scores = {"accuracy": _mean(hits), "auc": _auc(outputs[:, 0], y > 0.5)}
        else:
            hits = outputs.argmax(axis=1) == y
            scores = {"accuracy": _mean(hits), "balanced_accuracy": _balanced(hits, y)}
        return {"log_loss": loss_of("log_loss", outputs, y), **scores}


def _regression(outputs: NDArray[np.float32], y: NDArray[Any], scale: float) -> dict[str, float]:
    mse = loss_of("mse", outputs, y)
    spread = float(np.var(y.astype(np.float64))) if len(y) else 0.0
    return {
        "mse": mse,
        "mae": loss_of("mae", outputs, y),
        "rmse": math.sqrt(mse) * scale if mse < math.inf else mse,
        "r2": 1 - mse / spread if spread > 0 else math.nan,
    }


def _mean(values: NDArray[Any]) -> float:
    return float(np.mean(values)) if len(values) else math.nan


def _balanced(hits: NDArray[np.bool_], y: NDArray[np.int64]) -> float:
    """The mean over the classes among the rows of the share of their rows that are hit."""
    rows = np.bincount(y)
    right = np.bincount(y, weights=hits)
    return _mean(right[rows > 0] / rows[rows > 0])


def _auc(outputs: NDArray[np.float32], positive: NDArray[np.bool_]) -> float:
    """The area under the ROC curve; NaN if all rows are of one class.

    It is the probability that a positive row has a larger output than a negative one, where
    equal outputs count half: the rank statistic of Mann and Whitney (1947).
    """
    first, second = int(positive.sum()), int((~positive).sum())
    if not first or not second:
        return math.nan
    _, place, counts = np.unique(outputs, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    larger = float(mean_rank[place][positive].sum()) - first * (first + 1) / 2
    return larger / (first * second)


def _errors(outputs: NDArray[np.float64], y: NDArray[Any]) -> Doubles:
    return outputs[:, 0] - y.astype(np.float64)


def _mse(outputs: Doubles, y: NDArray[Any]) -> Doubles:
    return np.square(_errors(outputs, y))


def _mae(outputs: Doubles, y: NDArray[Any]) -> Doubles:
    return np.abs(_errors(outputs, y))


def _huber(outputs: Doubles, y: NDArray[Any]) -> Doubles:
    away = _mae(outputs, y)
    return np.where(away < _DELTA, away * away / 2, _DELTA * (away - _DELTA / 2))


def _log_loss(outputs: Doubles, y: NDArray[Any]) -> Doubles:
    """Minus the logarithm of the probability given to each row's class, in nats."""
    if outputs.shape[1] == 1:
        # -log s(z) for the class 1 and -log s(-z) for 0, with the sigmoid s(z) = 1 / (1 + exp(-z)).
        z = outputs[:, 0]
        loss: Doubles = np.logaddexp(0, np.where(y > 0.5, -z, z))
        return loss
    beyond = outputs - outputs.max(axis=1, keepdims=True)
    total: Doubles = np.log(np.exp(beyond).sum(axis=1))
    of_class: Doubles = total - beyond[np.arange(len(y)), y]
    return of_class


_LOSSES: Mapping[str, Callable[[Doubles, NDArray[Any]], Doubles]] = {
    "mse": _mse,
    "mae": _mae,
    "huber": _huber,
    "log_loss": _log_loss,
    "bce_with_logits": _log_loss,
    "cross_entropy": _log_loss,
}
