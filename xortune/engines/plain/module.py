"""A trial of a module as a learner."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from xortune.engines.plain.dropout import CallDropout, kept_at, keys_of, mixed, seeds_of
from xortune.engines.plain.dropout_calls import DropoutCalls
from xortune.engines.plain.order import Batch, Order
from xortune.engines.plain.vector import joined
from xortune.engines.reference_modules import REFERENCE_ROWS
from xortune.engines.reference_rows import is_reference
from xortune.engines.user_code import UserError, user_code
from xortune.plain_numbers import brief, real_number
from xortune.prints import Prints, hidden_prints
from xortune.problems.module.lesson import ModuleLesson
from xortune.problems.module.weights import layout_of, weights_of
from xortune.problems.table.arithmetic import undisturbed
from xortune.problems.table.rows import Rows

# The most numbers of a layer's output, as far as they are known, while a model is measured.
_MOST_NUMBERS = 2**18
_KEPT_FOLDS = 8


class Lessons:
    """The lesson of each trial.

    Args:
        lesson: of trials without a fold.
        folds: the parts of the rows that validate in turn; None for no folds.

    Attributes:
        shown: whether what the user's code prints is shown.
    """

    def __init__(self, lesson: ModuleLesson, folds: int | None = None) -> None:
        self._lesson = lesson
        self._folds = folds
        self.shown = lesson.shown
        # Each is a copy of the rows.
        self._kept = lru_cache(_KEPT_FOLDS)(self._made)

    def of(self, params: Mapping[str, Any], fold: int | None) -> ModuleLesson:
        return self._kept(fold, is_reference(params))

    def _made(self, fold: int | None, short: bool) -> ModuleLesson:
        lesson = self._lesson
        if fold is not None:
            assert self._folds is not None
            lesson = lesson.fold(fold, self._folds)
        return _shortened(lesson) if short else lesson


class ModuleLearner:
    """See `Learner`: the user's module, losses and metrics.

    What the module draws in training apart from dropout comes from PyTorch's global generator,
    which is seeded anew for every epoch from the trial's seed.
    """

    def __init__(
        self, params: Mapping[str, Any], lesson: ModuleLesson, heartbeat: Callable[[], None]
    ) -> None:
        self._lesson = lesson
        self._heartbeat = heartbeat
        self._seed = params["seed"]
        self._module = seeded_module(lesson, params)
        with user_code(lesson.words):  # An extra state is no array.
            self.layout = layout_of(self._module)
        self.weights, self._gradient = joined([*trained_parameters(self._module).values()])
        self._loss = own_loss_of(lesson, params)
        rows = Rows(lesson.x.numpy(), lesson.y.numpy())
        self.order = Order(rows, params["batch_size"], params["seed"])
        self._most = rows_at_once(self._module, lesson)
        self._dropout = CallDropout()
        self._seeds = seeds_of([self._seed])
        self._drops = True

    @property
    def buffers(self) -> Mapping[str, Tensor]:
        return dict(self._module.named_buffers())

    def use_buffers(self, buffers: Mapping[str, Tensor]) -> None:
        for name, buffer in self._module.named_buffers():
            buffer.detach().copy_(buffers[name])

    def learn(self, batch: Batch, step: int) -> Tensor:
        x, y = batch
        epoch, place = divmod(step, self.order.steps)
        if place == 0:
            self._reseed(epoch)
            self._drops = True
        with user_code(self._lesson.words):
            if not self._module.training:
                self._module.train()
            with self._own_dropout(step) as calls:
                loss = learnable(checked_loss(self._loss(self._module(x), y)))
            if place == 0:  # Watching every function takes time: where there is no dropout, none.
                self._drops = calls is not None and calls.count > 0
            self._gradient.zero_()
            loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def own_loss(self) -> float:
        x, y = self._lesson.x, self._lesson.y
        return self._measured(self._loss, self.outputs(x), y)

    def validated(self) -> float:
        x, y = self._lesson.x_validation, self._lesson.y_validation
        return self._measured(self._lesson.losses[self._lesson.loss], self.outputs(x), y)

    def scores(self) -> dict[str, float]:
        lesson = self._lesson
        outputs = self.outputs(lesson.x_validation)
        loss = self._measured(lesson.losses[lesson.loss], outputs, lesson.y_validation)
        return {lesson.loss: loss, **metrics_of(lesson, outputs)}

    def content(self) -> bytes:
        return weights_of(self._module.state_dict()).content

    @contextmanager
    def _own_dropout(self, step: int) -> Iterator[DropoutCalls | None]:
        steps = np.array([step % 2**32], np.uint32)

        def factors(call: int, rate: float, shape: Sequence[int]) -> Tensor:
            keys = keys_of(self._seeds, steps, call)
            return self._dropout.factors(keys, kept_at([rate]), shape)[0]

        with DropoutCalls(factors) if self._drops else nullcontext() as entered:
            yield entered

    def _reseed(self, epoch: int) -> None:
        torch.default_generator.manual_seed(mixed(mixed(self._seed) + epoch))

    def _measured(
        self, loss: Callable[[Tensor, Tensor], Tensor], outputs: Tensor, y: Tensor
    ) -> float:
        with user_code(self._lesson.words), torch.no_grad():
            return float(checked_loss(loss(outputs, y)))

    def outputs(self, x: Tensor) -> Tensor:
        """The module's outputs for all rows, in evaluation."""
        self._reseed(-1)
        parts = []
        self._module.eval()
        for part in torch.split(x, self._most):
            self._heartbeat()
            with user_code(self._lesson.words), torch.no_grad():
                parts.append(checked_outputs(self._module(part), len(part)))
        return parts[0] if len(parts) == 1 else torch.cat(parts)


def seeded_module(lesson: ModuleLesson, params: Mapping[str, Any]) -> nn.Module:
    """The module of a trial before training, drawn after `torch.manual_seed(seed)`.

    Raises:
        UserError: its code fails.
    """
    with user_code(lesson.words):
        # As torch.manual_seed, which also takes notes for devices that are not there.
        torch.default_generator.manual_seed(params["seed"])
        return lesson.build(params)


def trained_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that training changes, by name.

    Raises:
        UserError: there are none, or they are not float32 numbers on the CPU.
    """
    found = {name: p for name, p in module.named_parameters() if p.requires_grad}
    if not found:
        raise UserError("the model has no parameters to train")
    for name, parameter in found.items():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise UserError(f"the parameter {name} has no shape yet: use no lazy modules")
        kind, device = parameter.dtype, parameter.device.type
        if kind != torch.float32 or device != "cpu":
            kind_name = str(kind).removeprefix("torch.")
            raise UserError(
                f"the parameter {name} is {kind_name} on {device}, and must be float32 on the CPU"
            )
    return found


def own_loss_of(
    lesson: ModuleLesson, params: Mapping[str, Any]
) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss that a trial is trained with."""
    return lesson.losses[params.get("loss_fn", lesson.loss)]


def rows_at_once(module: nn.Module, lesson: ModuleLesson) -> int:
    """The rows that are measured together: a function of the model alone, since it fixes bits."""
    return max(1, _MOST_NUMBERS // widest(module, lesson))


def widest(module: nn.Module, lesson: ModuleLesson) -> int:
    """The numbers of a row where it is widest, as far as the sizes of parameters tell."""
    sizes = [max(p.shape, default=1) for p in module.parameters()]
    return max(math.prod(lesson.x.shape[1:]), *sizes, 1)


def checked_loss(loss: Any) -> Tensor:
    """The loss; raises UserError if it is not one number."""
    if not isinstance(loss, Tensor) or loss.dim():
        shape = f"has the shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else brief(loss)
        raise UserError(f"the loss {shape}: it must be a mean over rows, one number of PyTorch")
    return loss


def learnable(loss: Tensor) -> Tensor:
    """The loss, or losses; raises UserError without a gradient."""
    if not loss.requires_grad:
        raise UserError("the loss does not depend on what the model learns")
    return loss


def checked_outputs(outputs: Any, rows: int) -> Tensor:
    """The outputs; raises UserError if they are not a tensor of so many rows."""
    if not isinstance(outputs, Tensor):
        kind = type(outputs).__name__
        raise UserError(f"the model returns a value of type {kind}, and must return a tensor")
    if outputs.dim() == 0 or len(outputs) != rows:
        raise UserError(
            f"the model returns the shape {tuple(outputs.shape)} for {rows} rows: the first axis "
            "must be the rows"
        )
    return outputs


def metrics_of(lesson: ModuleLesson, outputs: Tensor) -> dict[str, float]:
    """The user's metrics of a model's outputs for the validation rows.

    Raises:
        UserError: a function fails, or does not return a number.
    """
    found = {}
    with user_code(lesson.words), torch.no_grad():
        for name, metric in lesson.metrics.items():
            value = metric(outputs, lesson.y_validation)
            number = real_number(value)
            if number is None:
                raise UserError(f"the metric {name} is not a number: {brief(value)}")
            found[name] = float(number)
    return found


@contextmanager
def own_generators(*, shown: bool = False) -> Iterator[Prints]:
    """As `undisturbed`; afterwards the global generators are as they were.

    What the user's code prints is hidden unless `shown`.
    """
    numbers, arrays = random.getstate(), np.random.get_state()
    try:
        with undisturbed(), torch.random.fork_rng(devices=[]), hidden_prints(shown=shown) as prints:
            yield prints
    finally:
        random.setstate(numbers)
        np.random.set_state(arrays)


def _shortened(lesson: ModuleLesson) -> ModuleLesson:
    """The lesson with its first rows alone, for the reference pack."""
    names = ("x", "y", "x_validation", "y_validation")
    return replace(lesson, **{name: getattr(lesson, name)[:REFERENCE_ROWS] for name in names})
