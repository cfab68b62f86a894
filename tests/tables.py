"""Small prepared tables, made by arithmetic, and engines for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from xortune.engines.mlp.engine import MlpEngine
from xortune.engines.mlp.native.build import built_library
from xortune.engines.plain.engine import PlainEngine
from xortune.problems.table.rows import Fold, Rows, Target, Task
from xortune.problems.table.spec import table_spec
from xortune.spec import ProblemSpec
from xortune.trial import Params

TARGETS: dict[Task, Target] = {
    "regression": Target("regression", mean=3.0, scale=2.0),
    "binary": Target("binary", ("no", "yes")),
    "classes": Target("classes", ("red", "green", "blue")),
}


def make_rows(task: Task, count: int = 30, inputs: int = 3, seed: int = 0) -> Rows:
    """Rows with something to learn, and noise: the target depends on the first two inputs."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(count, inputs)).astype(np.float32)
    value = x[:, 0] + 0.5 * x[:, min(1, inputs - 1)] + 0.5 * draw.normal(size=count)
    if task == "regression":
        return Rows(x, value.astype(np.float32))
    if task == "binary":
        y = (value > 0).astype(np.float32)
        y[:2] = 0, 1
        return Rows(x, y)
    classes = np.digitize(value, (-0.5, 0.5))
    classes[:3] = 0, 1, 2
    return Rows(x, classes.astype(np.int64))


def make_spec(task: Task = "regression") -> ProblemSpec:
    return table_spec(task, "small.csv")


def make_engine(task: Task = "regression", count: int = 30, **how: Any) -> PlainEngine:
    """The plain engine for `count` training rows and half as many for validation."""
    inputs = how.pop("inputs", 3)
    spec = how.pop("spec", make_spec(task))
    training = make_rows(task, count, inputs)
    validation = make_rows(task, max(count // 2, 3), inputs, seed=1)
    return PlainEngine(training, validation, TARGETS[task], spec)


def make_mlp(task: Task = "regression", count: int = 30, **how: Any) -> MlpEngine:
    """The compiled engine, for the rows of `make_engine`."""
    inputs = how.pop("inputs", 3)
    spec = how.pop("spec", make_spec(task))
    training = make_rows(task, count, inputs)
    validation = make_rows(task, max(count // 2, 3), inputs, seed=1)
    return MlpEngine((training, validation, TARGETS[task]), spec, built_library())


def make_folds(task: Task, count: int = 20) -> list[Fold]:
    """Three folds, of different rows, numbers of inputs and scales of the target."""
    return [
        Fold(
            make_rows(task, count, 3 + k, seed=2 * k),
            make_rows(task, max(count // 2, 3), 3 + k, seed=2 * k + 1),
            replace(TARGETS[task], scale=2.0 + k) if task == "regression" else TARGETS[task],
        )
        for k in range(3)
    ]


def make_trial(task: Task = "regression", **values: Any) -> Params:
    """A trial of few small epochs: the defaults, but for these."""
    few = {"epochs": 3, "width": 5, "batch_size": 8}
    return make_spec(task).assignment({**few, **values})
