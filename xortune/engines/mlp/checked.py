"""The C code, once it is shown to compute what it should on this machine."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np

from xortune.engines.loading import loaded
from xortune.engines.mlp.block import Block
from xortune.engines.mlp.native.library import LANES, CFunctions
from xortune.engines.reference_rows import made_fold
from xortune.errors import NoEngineError
from xortune.problems.table.rows import TASKS, Fold, Target, Task
from xortune.problems.table.spec import ACTIVATIONS, LOSS_FNS, METRICS, OPTIMIZERS, SCHEDULES

# The result of `fingerprint` where every operation is rounded as IEEE 754 says.
_RIGHT = "7ec3ff2c40a315eef78b466e0043a1c2ebaf8c5d9635ab62bdea2f929354894c"


@cache
def load_library(library: bytes) -> CFunctions:
    """Loads the library of `built_library`, which another process may have called.

    Raises:
        NoEngineError: this machine cannot load it, or computes other bits with it.
    """
    try:
        functions = CFunctions(loaded(library, "xortune-mlp"))
    except (OSError, AttributeError) as error:
        raise NoEngineError(f"the compiled engine cannot be loaded: {error}") from None
    if not functions.vector:
        raise NoEngineError("it runs on processors with AVX2 and FMA, or with NEON")
    if fingerprint(functions) != _RIGHT:
        raise NoEngineError("the compiled engine does not round as it should on this machine")
    return functions


def fingerprint(functions: CFunctions) -> str:
    """A digest of blocks of every task, with lanes of every kind, and of these lanes alone."""
    digest = hashlib.sha256()
    for task in TASKS:
        block = Block([_lane(task, i) for i in range(LANES)], _fold(task), _loss(task), functions)
        block.begin(range(LANES))
        digest.update(np.array([*block.measured(_silent)]).tobytes())
        digest.update(block.advance(_EPOCHS, _silent).tobytes())
        digest.update(np.array([*block.scored(range(LANES), _silent).values()]).tobytes())
        for i in range(LANES):
            digest.update(block.numbers(i, "weights").tobytes())
            alone = Block([_lane(task, i)], _fold(task), _loss(task), functions)
            alone.begin([0])
            digest.update(alone.advance(_EPOCHS, _silent)[:, :, 0].tobytes())
            digest.update(alone.numbers(0, "weights").tobytes())
    return digest.hexdigest()


_EPOCHS = 4
_ROWS, _INPUTS = 90, 3


def _silent() -> None:
    """No heartbeat is needed for so short a time."""


def _lane(task: Task, i: int) -> dict[str, Any]:
    loss_fns = LOSS_FNS[task]
    return {
        "width": 1 + i * 5 % 9,
        "depth": 1 + i % 3,
        "activation": ACTIVATIONS[i % len(ACTIVATIONS)],
        "dropout": (0.0, 0.0, 0.3)[i // 3 % 3],
        "lr": (1e-3, 0.03, 0.3)[i % 3],
        "batch_size": (32, 64, 96)[i // 4 % 3],
        "epochs": _EPOCHS,
        "seed": i * 2_654_435_761 % 2**32,
        "optimizer": OPTIMIZERS[i % len(OPTIMIZERS)],
        "early_stopping": 0,
        "weight_decay": (0.0, 0.01)[i // 2 % 2],
        "schedule": SCHEDULES[i // 2 % len(SCHEDULES)],
        "loss_fn": loss_fns[i // 3 % len(loss_fns)],
    }


def _fold(task: Task) -> Fold:
    classes = ("a", "b", "c", "d") if task == "classes" else ()
    return made_fold(Target(task, classes), _ROWS, _INPUTS)


def _loss(task: Task) -> str:
    return METRICS[task][0].name
