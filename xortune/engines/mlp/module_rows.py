"""The rows of a module's lesson as C takes them; and the lessons that it cannot take."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from xortune.problems.module.lesson import ModuleLesson
from xortune.problems.module.losses import LOSSES
from xortune.problems.table.rows import Fold, Rows, Target, Task

_TASKS: Mapping[str, Task] = {
    "mse": "regression",
    "mae": "regression",
    "huber": "regression",
    "bce_with_logits": "binary",
    "cross_entropy": "classes",
}


def why_not_in_c(lesson: ModuleLesson) -> str:
    """Why C cannot train by the losses and targets of a lesson; empty if it can."""
    for name, loss in lesson.losses.items():
        if loss is not LOSSES.get(name):
            return f"the loss {name} is a function of your own"
    if len({_TASKS[name] for name in lesson.losses}) > 1:
        return f"the losses {' and '.join(lesson.losses)} are of different kinds"
    if lesson.x.dtype != torch.float32:
        return "its inputs are whole numbers"
    task = _TASKS[lesson.loss]
    for y in (lesson.y, lesson.y_validation):
        if y.shape[1:] not in ((), (1,)):
            return "a row has several targets"
        if task == "binary" and not bool(((y == 0) | (y == 1)).all()):
            return "its targets are neither 0 nor 1"
        if task == "classes" and (y.dtype != torch.int64 or bool((y < 0).any())):
            return "its targets are no classes from 0 on"
    return ""


def takes(lesson: ModuleLesson, outputs: int, *, squeezed: bool) -> bool:
    """Whether the losses take so many outputs, of which the axis may have been taken away."""
    if _TASKS[lesson.loss] != "classes":
        return outputs == 1
    largest = max(int(y.max()) for y in (lesson.y, lesson.y_validation))
    return not squeezed and outputs > max(1, largest)


def fold_of(lesson: ModuleLesson, outputs: int) -> Fold:
    """The rows of a lesson for models of so many outputs."""
    task = _TASKS[lesson.loss]
    classes = tuple(map(str, range(outputs))) if task == "classes" else ()
    training = _rows(lesson.x, lesson.y)
    validation = _rows(lesson.x_validation, lesson.y_validation)
    return Fold(training, validation, Target(task, classes))


def _rows(x: Tensor, y: Tensor) -> Rows:
    return Rows(x.flatten(1).numpy(), y.flatten().numpy())
