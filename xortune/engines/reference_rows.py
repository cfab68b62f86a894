"""The reference pack: fixed trials on a fixed table, whose bits tell how a machine computes.

The table is made by arithmetic that no library can change, so its cost does not depend on the
user's data. Its trials have seeds that no search space can have, and are known by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from xortune.problems.table.rows import Fold, Rows, Target
from xortune.problems.table.spec import ACTIVATIONS, OPTIMIZERS, SCHEDULES
from xortune.spec import ProblemSpec
from xortune.trial import Params

_FIRST_SEED = 2**32
_ROWS, _INPUTS = 52, 5


def reference_trials(spec: ProblemSpec) -> tuple[Params, ...]:
    """Three short epochs with each optimizer; large rates carry a change of the last bit on."""
    loss_fns = spec.parameter("loss_fn").choices
    return tuple(
        spec.assignment(
            {
                "width": 19 + i,
                "depth": 1 + i % 3,
                "activation": ACTIVATIONS[i % len(ACTIVATIONS)],
                "dropout": (0.0, 0.25)[i % 2],
                "lr": 0.03,
                "batch_size": 20,
                "epochs": 3,
                "seed": _FIRST_SEED + i,
                "optimizer": optimizer,
                "weight_decay": 0.01,
                "schedule": SCHEDULES[i % len(SCHEDULES)],
                "loss_fn": loss_fns[i % len(loss_fns)],
            }
        )
        for i, optimizer in enumerate(OPTIMIZERS)
    )


def is_reference(params: Mapping[str, Any]) -> bool:
    """Whether a trial is one of the reference pack, and trains on `reference_fold`."""
    return bool(params["seed"] >= _FIRST_SEED)


def reference_fold(target: Target) -> Fold:
    """The fixed table, for the task of a study."""
    return made_fold(target, _ROWS, _INPUTS)


def made_fold(target: Target, count: int, inputs: int) -> Fold:
    """Rows made by arithmetic that no library can change, for training and validation alike."""
    rows, columns = np.arange(count), np.arange(inputs)
    mixed = rows[:, np.newaxis] * (2 * columns + 7) + columns * columns
    x = ((mixed % 17) / 8 - 1).astype(np.float32)
    if target.task == "classes":
        y = rows * 3 % len(target.classes)
    elif target.task == "binary":
        y = (rows % 3 == 0).astype(np.float32)
    else:
        y = (rows * 5 % 11 / 5 - 1).astype(np.float32)
    every = Rows(x, y)
    return Fold(every, every, Target(target.task, target.classes))
