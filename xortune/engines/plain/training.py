"""One trial in training, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from xortune.engines.plain.dropout import Dropout
from xortune.engines.plain.optimizers import make_optimizer, rate
from xortune.engines.plain.order import Batch, Order
from xortune.engines.progress import Progress
from xortune.problems.table.measures import loss_of, measured
from xortune.problems.table.model import (
    Layers,
    activate,
    measured_outputs,
    outputs_of,
    seeded_model,
)
from xortune.problems.table.rows import Rows, Target
from xortune.problems.table.weights import layout_of

_LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "huber": F.huber_loss,
    "bce_with_logits": F.binary_cross_entropy_with_logits,
    "cross_entropy": F.cross_entropy,
}

# The weights of a model from which on the heart beats at every step.
_LARGE = 50_000


@dataclass(frozen=True)
class Lesson:
    """What all trials of a study learn from, and the loss that they are compared by."""

    training: Rows
    validation: Rows
    target: Target
    loss: str


class Training:
    """A trial in training. Every change of its numbers is here, and no clock.

    Attributes:
        progress: how far it has come.
        layout: the names and shapes of the model's arrays.
        weights: all weights and biases as one vector, in the order of the model's `state_dict()`.
        best: those after the best epoch; the initial ones before the first.
        optimizer: with its state of the vector.
    """

    def __init__(
        self, params: Mapping[str, Any], lesson: Lesson, heartbeat: Callable[[], None]
    ) -> None:
        self._params = params
        self._lesson = lesson
        self._heartbeat = heartbeat
        inputs = lesson.training.x.shape[1]
        self.layout = layout_of(inputs, lesson.target.outputs, params)
        model = seeded_model(inputs, lesson.target.outputs, params)
        self.weights, self._gradient = joined(model)
        self._layers: Layers = model.pairs
        self._activate = activate(params["activation"])
        self._loss = _LOSSES[params["loss_fn"]]
        self.optimizer = make_optimizer(self.weights, params)
        self._order = Order(lesson.training, params["batch_size"], params["seed"])
        self._dropout = _dropout(params, self._order.size)
        self.best = self.weights.detach().clone()
        self.progress = Progress()

    def start(self) -> None:
        """Measures the initial weights."""
        self.progress.training = self.own_loss()
        self.progress.validation = self._validated()

    def resume(self, progress: Progress) -> None:
        """Continues from an epoch, once weights, best weights and optimizer are those of it."""
        self.progress = progress
        self._order.skip(progress.epoch)

    @property
    def failed(self) -> bool:
        """Whether a loss of the latest epoch is not finite."""
        return self.progress.failed

    @property
    def finished(self) -> bool:
        """Whether it has trained all its epochs, or too many without a better one."""
        return self.progress.finished(self._params["epochs"], self._params["early_stopping"])

    def advance(self) -> None:
        """Trains an epoch, and measures the weights after it."""
        progress = self.progress
        self.optimizer.param_groups[0]["lr"] = rate(self._params, progress.epoch)
        step = progress.epoch * self._order.steps
        losses: list[float] = []
        for batches in self._order.epoch():
            self._heartbeat()
            taken = [self._step(batch, step + place) for place, batch in enumerate(batches)]
            losses += torch.stack(taken).tolist()
            step += len(batches)
        progress.epoch += 1
        # Exact, and so the same for every version of Python.
        finite = all(map(math.isfinite, losses))
        progress.training = math.fsum(losses) / len(losses) if finite else math.nan
        progress.validation = self._validated()
        if not self.failed and progress.validation < progress.best:
            progress.best, progress.best_epoch = progress.validation, progress.epoch
            self.best.copy_(self.weights.detach())

    def use_best(self) -> None:
        """Puts the best weights in place of the latest."""
        self.weights.detach().copy_(self.best)

    def own_loss(self) -> float:
        """The trial's own loss on all training rows, without dropout."""
        rows = self._lesson.training
        return loss_of(self._params["loss_fn"], self._outputs(rows), rows.y)

    def scores(self) -> dict[str, float]:
        """The table's metrics on the validation rows."""
        rows = self._lesson.validation
        return measured(self._lesson.target, self._outputs(rows), rows.y)

    def _validated(self) -> float:
        rows = self._lesson.validation
        return loss_of(self._lesson.loss, self._outputs(rows), rows.y)

    def _outputs(self, rows: Rows) -> Any:
        return measured_outputs(self._layers, self._activate, rows.x, self._heartbeat)

    def _step(self, batch: Batch, step: int) -> Tensor:
        """Trains a batch; returns its mean loss before that."""
        if self.weights.numel() > _LARGE:
            self._heartbeat()
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
        self.optimizer.step()
        return loss.detach()


def joined(model: nn.Module) -> tuple[nn.Parameter, Tensor]:
    """All parameters of a model as one vector, and its gradient; their own become views of these.

    Autograd adds to a gradient in place, so an optimizer of the vector trains the model, in one
    step of arithmetic instead of one for each array.
    """
    parts = [*model.parameters()]
    flat = nn.Parameter(torch.cat([part.detach().flatten() for part in parts]))
    flat.grad = gradient = torch.zeros_like(flat)
    start = 0
    for part in parts:
        place = slice(start, start + part.numel())
        part.data = flat.data[place].view_as(part)
        part.grad = gradient[place].view_as(part)
        start = place.stop
    return flat, gradient


def _dropout(params: Mapping[str, Any], rows: int) -> Dropout | None:
    if not params["dropout"] or not params["depth"]:
        return None
    return Dropout(params["seed"], params["dropout"], params["depth"], params["width"], rows)
