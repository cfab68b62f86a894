"""Arrays as C takes them: the settings of lanes, rows, and memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.engines.mlp.native.library import LANES, address
from xortune.problems.table.rows import Fold
from xortune.problems.table.spec import ACTIVATIONS, OPTIMIZERS, SCHEDULES

# The numbers by which C knows losses; those of `METRICS` and of `LOSS_FNS`.
LOSSES = {"mse": 0, "mae": 1, "huber": 2}
LOG_LOSS = 3
_PAGE = 4096
# The bytes of inputs of which a worker has a copy, which C reads faster.
_MOST_COPIED = 2**24
# The types of settings that C takes as they are.
_SETTINGS = {
    "width": np.int32,
    "depth": np.int32,
    "epochs": np.int32,
    "lr": np.float64,
}
_PLACES = {
    name: {choice: place for place, choice in enumerate(choices)}
    for name, choices in (
        ("activation", ACTIVATIONS),
        ("optimizer", OPTIMIZERS),
        ("schedule", SCHEDULES),
    )
}


def lane_arrays(params: Sequence[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """The settings of lanes as C takes them; those of lanes that are not there are the first's."""
    padded = [*params, *[params[0]] * (LANES - len(params))]
    rates = [p["dropout"] if p["depth"] else 0.0 for p in padded]
    least = [min(round(rate * 2**32), 2**32 - 1) for rate in rates]
    return {
        "mask": np.zeros(LANES, np.int32),
        "epoch": np.zeros(LANES, np.int32),
        "portions": np.ones(LANES, np.int32),
        **{name: np.array([p[name] for p in padded], t) for name, t in _SETTINGS.items()},
        **{
            name: np.array([places[p[name]] for p in padded], np.int32)
            for name, places in _PLACES.items()
        },
        "loss": np.array([LOSSES.get(p["loss_fn"], LOG_LOSS) for p in padded], np.int32),
        "patience": np.array([p["early_stopping"] for p in padded], np.int32),
        "seed": np.array([p["seed"] & 0xFFFFFFFF for p in padded], np.uint32),
        "least": np.array(least, np.uint32),
        "kept": np.array([1 / (1 - rate) for rate in rates], np.float32),
        "decay": np.array([p["weight_decay"] for p in padded], np.float64),
    }


def mask_of(places: Sequence[int]) -> NDArray[np.int32]:
    """All ones for some lanes, 0 for the others."""
    mask = np.zeros(LANES, np.int32)
    mask[[*places]] = -1
    return mask


def as_floats(values: NDArray[Any]) -> NDArray[np.float32]:
    """Inputs or targets as C takes them; classes are their places."""
    return np.ascontiguousarray(values, np.float32)


class Prepared:
    """The rows of a table as C takes them.

    Attributes:
        parts: inputs and targets, of training and of validation.
        tables: see `table_of`, of both; None where a copy would take much memory.
    """

    def __init__(self, fold: Fold) -> None:
        self.parts = [(as_floats(rows.x), as_floats(rows.y)) for rows in fold[:2]]
        self.tables = [table_of(*part) if _small(part[0]) else None for part in self.parts]


class Shared:
    """What the blocks of one thread share: rows, and scratch memory.

    What scratch memory holds means nothing between two calls.
    """

    def __init__(self) -> None:
        self._held: dict[str, NDArray[np.uint8]] = {}
        self._prepared: tuple[Fold, Prepared] | None = None

    def rows(self, fold: Fold) -> Prepared:
        """The rows of a table, made once for blocks that follow each other."""
        if self._prepared is None or self._prepared[0] is not fold:
            self._prepared = fold, Prepared(fold)
        return self._prepared[1]

    def bytes(self, name: str, count: int) -> NDArray[np.uint8]:
        """So many bytes under a name, aligned to a page; others have them, too."""
        held = self._held.get(name)
        if held is None or len(held) < count:
            held = self._held[name] = aligned(count, np.empty)
        return held[:count]


def _small(x: NDArray[np.float32]) -> bool:
    return x.nbytes <= _MOST_COPIED


def table_of(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inputs, the target behind them, and zeros up to a multiple of four: what C gathers."""
    rows, inputs = x.shape
    table = zeros((rows, inputs + 4 - inputs % 4))
    table[:, :inputs], table[:, inputs] = x, y
    return table


def zeros(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Zeros, aligned to a page."""
    return aligned(4 * math.prod(shape), np.zeros).view(np.float32).reshape(shape)


def aligned(count: int, make: Callable[..., NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Bytes of `np.zeros` or `np.empty`, aligned to a page."""
    held = make(count + _PAGE, np.uint8)
    start = -address(held) % _PAGE
    return held[start : start + count]
