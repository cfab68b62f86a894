"""The metrics of a block's lanes, from sums and counts that C makes: those of measures.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.engines.mlp.native.library import LANES, Call, CFunctions, Sums, address
from xortune.problems.table.rows import Target

Doubles = NDArray[np.float64]


class Tally:
    """What is counted over some rows, for all lanes: see `Scores` of block.h.

    Args:
        target: what is learnt.
        y: the targets of the rows, `(n,)`.
        functions: those of C.
    """

    def __init__(self, target: Target, y: NDArray[Any], functions: CFunctions) -> None:
        self._target = target
        self._y = y
        self._functions = functions
        ranked = len(y) if target.task == "binary" else 0
        self._errors = np.zeros((2, LANES))
        self._hits = np.zeros((max(target.outputs, 2), LANES), np.int64)
        self._outputs = np.empty((LANES, ranked), np.float32)
        self._larger = np.zeros(LANES, np.int64)
        self._keys = np.empty((2, ranked), np.uint32)
        self.sums = Sums()
        self.sums.errors, self.sums.hits = address(self._errors), address(self._hits)
        self.sums.outputs, self.sums.larger = address(self._outputs), address(self._larger)
        self.sums.keys = address(self._keys)

    def metrics(self, call: Call, losses: Doubles) -> dict[str, list[float]]:
        """The table's metrics of all lanes by name, in the order of `METRICS`.

        They are those of `measured`, and NaN where it has no value.

        Args:
            call: that which measured the rows.
            losses: the mean log loss, which is among them, `(LANES,)`.
        """
        make: dict[str, Callable[[], dict[str, Doubles]]] = {
            "regression": self._regression,
            "binary": lambda: {"log_loss": losses, **self._binary(call)},
            "classes": lambda: {"log_loss": losses, **self._classes()},
        }
        with np.errstate(all="ignore"):
            found = make[self._target.task]()
        return {name: values.tolist() for name, values in found.items()}

    def _regression(self) -> dict[str, Doubles]:
        mse, mae = self._errors / len(self._y)
        spread = self._functions.variance(self._y)
        r2 = 1 - mse / spread if spread > 0 else np.full(LANES, np.nan)
        return {"mse": mse, "mae": mae, "rmse": np.sqrt(mse) * self._target.scale, "r2": r2}

    def _binary(self, call: Call) -> dict[str, Doubles]:
        self._functions.rank(call, self.sums)
        positive = int((self._y > 0.5).sum())
        pairs = positive * (len(self._y) - positive)
        auc = self._larger / 2 / pairs if pairs else np.full(LANES, np.nan)
        return {"accuracy": self._hits.sum(axis=0) / len(self._y), "auc": auc}

    def _classes(self) -> dict[str, Doubles]:
        rows = np.bincount(self._y.astype(np.int64), minlength=len(self._hits))
        there = rows > 0
        # Lane after lane, so that NumPy adds the shares in the order of `measured`.
        shares = np.ascontiguousarray(self._hits[there].T / rows[there])
        balanced = shares.mean(axis=1) if there.any() else np.full(LANES, np.nan)
        return {
            "accuracy": self._hits.sum(axis=0) / len(self._y),
            "balanced_accuracy": balanced,
        }
