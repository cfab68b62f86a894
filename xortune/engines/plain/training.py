"""One trial in training, epoch by epoch: what is the same for tables and modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from xortune.engines.plain.optimizers import make_optimizer, rate
from xortune.engines.plain.order import Batch, Order
from xortune.engines.progress import Progress
from xortune.trial import Layout

# The weights of a model from which on the heart beats at every step.
_LARGE = 50_000


class Learner(Protocol):
    """A trial's model, with the rows that it learns from and those that it is measured on.

    Attributes:
        layout: the names and shapes of the model's arrays, as a study stores them.
        weights: all that is trained as one vector, whose gradient is kept.
        order: of the rows that it learns from.
    """

    layout: Layout
    weights: nn.Parameter
    order: Order

    @property
    def buffers(self) -> Mapping[str, Tensor]:
        """What else a step changes, such as running means; empty for most models."""

    def use_buffers(self, buffers: Mapping[str, Tensor]) -> None:
        """Puts other values in their place."""

    def learn(self, batch: Batch, step: int) -> Tensor:
        """The mean loss of a batch, whose gradient it leaves; steps count from 0."""

    def own_loss(self) -> float:
        """The trial's own loss on all rows that it learns from, without dropout."""

    def validated(self) -> float:
        """The final loss: that of the study, on the validation rows."""

    def scores(self) -> dict[str, float]:
        """The metrics of the trained model, by name, apart from those of its training."""

    def content(self) -> bytes:
        """The numbers of the arrays in `layout`: little-endian float32."""


class Training:
    """A trial in training. Every change of its numbers is here, and no clock.

    Attributes:
        learner: its model and its rows.
        progress: how far it has come.
        weights: the learner's.
        best: those after the best epoch; the initial ones before the first.
        best_buffers: likewise.
        optimizer: with its state of the vector.
    """

    def __init__(
        self, params: Mapping[str, Any], learner: Learner, heartbeat: Callable[[], None]
    ) -> None:
        self._params = params
        self._heartbeat = heartbeat
        self.learner = learner
        self.weights = learner.weights
        self.optimizer = make_optimizer(self.weights, params)
        self.best = self.weights.detach().clone()
        self.best_buffers = _copied(learner.buffers)
        self.progress = Progress()

    def start(self) -> None:
        """Measures the initial weights."""
        self.progress.training = self.learner.own_loss()
        self.progress.validation = self.learner.validated()

    def resume(self, progress: Progress) -> None:
        """Continues from an epoch, once weights, best weights and optimizer are those of it."""
        self.progress = progress
        self.learner.order.skip(progress.epoch)

    @property
    def failed(self) -> bool:
        return self.progress.failed

    @property
    def finished(self) -> bool:
        return self.progress.finished(self._params["epochs"], self._params["early_stopping"])

    def advance(self) -> None:
        """Trains an epoch, and measures the weights after it."""
        progress, order = self.progress, self.learner.order
        self.optimizer.param_groups[0]["lr"] = rate(self._params, progress.epoch)
        step = progress.epoch * order.steps
        losses: list[float] = []
        for batches in order.epoch():
            self._heartbeat()
            taken = [self._step(batch, step + place) for place, batch in enumerate(batches)]
            losses += torch.stack(taken).tolist()
            step += len(batches)
        if progress.add(losses, self.learner.validated()):
            self.best.copy_(self.weights.detach())
            self.best_buffers = _copied(self.learner.buffers)

    def use_best(self) -> None:
        """Puts the best weights in place of the latest."""
        self.weights.detach().copy_(self.best)
        self.learner.use_buffers(self.best_buffers)

    def _step(self, batch: Batch, step: int) -> Tensor:
        """Trains a batch; returns its mean loss before that."""
        if self.weights.numel() > _LARGE:
            self._heartbeat()
        loss = self.learner.learn(batch, step)
        self.optimizer.step()
        return loss


def _copied(buffers: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: buffer.detach().clone() for name, buffer in buffers.items()}
