"""A trial of a table as a learner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from xortune.engines.plain.dropout import Dropout
from xortune.engines.plain.order import Batch, Order
from xortune.engines.plain.vector import joined
from xortune.engines.reference_rows import is_reference, reference_fold
from xortune.problems.table.measures import loss_of, measured
from xortune.problems.table.model import (
    Layers,
    activate,
    measured_outputs,
    outputs_of,
    seeded_model,
)
from xortune.problems.table.rows import Fold, Rows, Target
from xortune.problems.table.weights import layout_of

_LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "huber": F.huber_loss,
    "bce_with_logits": F.binary_cross_entropy_with_logits,
    "cross_entropy": F.cross_entropy,
}


@dataclass(frozen=True)
class Lesson:
    """What all trials of a study learn from, and the loss that they are compared by."""

    training: Rows
    validation: Rows
    target: Target
    loss: str


@dataclass(frozen=True)
class TableLearners:
    """Makes the learner of each trial.

    Attributes:
        lesson: of trials without a fold.
        folds: of the rows, among which a trial's fold chooses.
    """

    lesson: Lesson
    folds: Sequence[Fold]

    def __call__(
        self, params: Mapping[str, Any], fold: int | None, heartbeat: Callable[[], None]
    ) -> TableLearner:
        lesson = self.lesson
        if fold is not None:
            lesson = Lesson(*self.folds[fold], lesson.loss)
        if is_reference(params):
            lesson = Lesson(*reference_fold(lesson.target), lesson.loss)
        return TableLearner(params, lesson, heartbeat)


class TableLearner:
    """See `Learner`: a multilayer perceptron, its rows and its measures."""

    buffers: Mapping[str, Tensor] = {}

    def __init__(
        self, params: Mapping[str, Any], lesson: Lesson, heartbeat: Callable[[], None]
    ) -> None:
        self._loss_fn = params["loss_fn"]
        self._lesson = lesson
        self._heartbeat = heartbeat
        inputs = lesson.training.x.shape[1]
        self.layout = layout_of(inputs, lesson.target.outputs, params)
        model = seeded_model(inputs, lesson.target.outputs, params)
        self.weights, self._gradient = joined([*model.parameters()])
        self._layers: Layers = model.pairs
        self._activate = activate(params["activation"])
        self._loss = _LOSSES[self._loss_fn]
        self.order = Order(lesson.training, params["batch_size"], params["seed"])
        self._dropout = _dropout(params, self.order.size)

    def use_buffers(self, buffers: Mapping[str, Tensor]) -> None:
        """There are none."""

    def learn(self, batch: Batch, step: int) -> Tensor:
        x, y = batch
        dropped = None
        if self._dropout is not None:
            factors = self._dropout.factors(step, len(x))

            def dropped(place: int, hidden: Tensor) -> Tensor:
                return hidden * factors[place]

        outputs = outputs_of(self._layers, self._activate, x, dropped)
        loss = self._loss(outputs if outputs.shape[1] > 1 else outputs[:, 0], y)
        self._gradient.zero_()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def own_loss(self) -> float:
        rows = self._lesson.training
        return loss_of(self._loss_fn, self._outputs(rows), rows.y)

    def validated(self) -> float:
        rows = self._lesson.validation
        return loss_of(self._lesson.loss, self._outputs(rows), rows.y)

    def scores(self) -> dict[str, float]:
        rows = self._lesson.validation
        return measured(self._lesson.target, self._outputs(rows), rows.y)

    def content(self) -> bytes:
        return np.ascontiguousarray(self.weights.detach().numpy(), "<f4").tobytes()

    def _outputs(self, rows: Rows) -> Any:
        return measured_outputs(self._layers, self._activate, rows.x, self._heartbeat)


def _dropout(params: Mapping[str, Any], rows: int) -> Dropout | None:
    if not params["dropout"] or not params["depth"]:
        return None
    return Dropout(params["seed"], params["dropout"], params["depth"], params["width"], rows)
