"""What a user's model, losses and metrics must not do, found before a search by trying them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from xortune.engines.plain.module import (
    ModuleLearner,
    metrics_of,
    seeded_module,
    trained_parameters,
)
from xortune.engines.stacked.draws import Draws, others_drawn
from xortune.engines.user_code import UserError, user_code
from xortune.plain_numbers import brief, real_number
from xortune.problems.module.lesson import ModuleLesson
from xortune.problems.module.losses import LOSSES, unlike_targets

# Rows with which it is tried whether a function compares each with all others.
_FEW = 64
_TRIES = 3  # since shares of rows may be equal by chance
# The difference of a function's values from which on they are not the same number rounded.
_ALIKE = 1e-3
_ARRAYS = ("x", "y", "x_validation", "y_validation", "x_test", "y_test")


def refuse_tensors(module: nn.Module, again: nn.Module) -> None:
    """Raises UserError unless all tensors are on the CPU, and a trial's weights its own.

    Args:
        module: a trial's.
        again: that of another trial.
    """
    trained_parameters(module)
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.device.type != "cpu":
            raise UserError(f"{name} is on {tensor.device.type}, and must be on the CPU")
    others = {id(tensor) for tensor in again.parameters()}
    for name, parameter in trained_parameters(module).items():
        if id(parameter) in others:
            raise UserError(
                f"the model returns the same parameter {name} at every call, so trials would train "
                "each other's: make it inside the model"
            )


def refuse_targets(lesson: ModuleLesson, params: Mapping[str, Any], outputs: Tensor) -> None:
    """Raises UserError where a target is none that a loss of ours can take.

    Args:
        lesson: with all rows.
        params: of the trial.
        outputs: of the model, for some rows.
    """
    targets = {name: getattr(lesson, name) for name in _ARRAYS if name.startswith("y")}
    for name in {lesson.loss: None, params.get("loss_fn", lesson.loss): None}:
        if lesson.losses[name] is LOSSES.get(name):
            fault = unlike_targets(name, outputs, targets)
            if fault:
                raise UserError(fault)


def refuse_functions(lesson: ModuleLesson, params: Mapping[str, Any], outputs: Tensor) -> None:
    """Raises UserError for functions of the user's whose numbers are not those of one model.

    They would compare each row with all others, draw at random, or change what they are given.
    """
    y = lesson.y_validation
    names = dict.fromkeys((lesson.loss, params.get("loss_fn", lesson.loss)))
    own = {name: lesson.losses[name] for name in names if lesson.losses[name] != LOSSES.get(name)}
    with user_code(lesson.words), torch.no_grad():
        for what, functions in (("loss", own), ("metric", lesson.metrics)):
            for name, function in functions.items():
                _refuse_broadcast(f"the {what} {name}", function, outputs, y)
                _refuse_changes(f"the {what} {name}", function, outputs, y)
        for name, function in lesson.metrics.items():
            _refuse_draws(f"the metric {name}", function, outputs, y)


def refuse_test(lesson: ModuleLesson, learner: ModuleLearner, rows: int) -> None:
    """Raises UserError where the final loss or a metric fails on test rows, if there are any.

    Nothing is kept of their values.
    """
    x, y = lesson.x_test, lesson.y_test
    if x is None or y is None:
        return
    tested = replace(lesson, x_validation=x[:rows], y_validation=y[:rows])
    try:
        outputs = learner.outputs(tested.x_validation)
        with user_code(lesson.words), torch.no_grad():
            lesson.losses[lesson.loss](outputs, tested.y_validation)
        metrics_of(tested, outputs)
    except UserError as error:
        raise UserError(f"on the test rows: {error}") from error


def refuse_short_batch(learner: ModuleLearner, rows: int, batch_size: int) -> None:
    """Raises UserError where the model fails with the last batch of an epoch, if that is shorter.

    Args:
        learner: of a trial, on rows of which the first are taken.
        rows: that it will learn from.
        batch_size: of a trial.
    """
    short = rows % batch_size
    if not short or rows < batch_size:
        return
    x, y = next(learner.order.epoch())[0]
    try:
        learner.learn((x[:short].clone(), y[:short].clone()), 1)
    except UserError as error:
        some = "1 row" if short == 1 else f"{short} rows"
        raise UserError(
            f"the last batch of an epoch has {some}, by batch_size {batch_size}, and fails: {error}"
        ) from error


def refuse_memory(
    lesson: ModuleLesson,
    params: Mapping[str, Any],
    heartbeat: Callable[[], None],
    first: ModuleLearner,
    buffers: Mapping[str, Tensor],
) -> None:
    """Raises UserError unless a trial's gradient depends on its weights and buffers alone.

    Args:
        lesson, params, heartbeat: of a learner.
        first: a learner that has measured itself, and then learnt the first batch alone.
        buffers: what `first` had before it learnt.
    """
    assert first.weights.grad is not None
    expected = first.weights.grad.numpy().tobytes()
    paused, again = (ModuleLearner(params, lesson, heartbeat) for _ in range(2))
    if all(buffer.shape == buffers[name].shape for name, buffer in paused.buffers.items()):
        paused.use_buffers(buffers)
    if _gradient(paused) == expected:
        return
    again.outputs(lesson.x_validation)
    again.own_loss(), again.validated()
    if _gradient(again) != expected:
        raise UserError(
            "the same trial has another gradient when it is computed again: the model or the loss "
            "draws from a generator of its own, or from something outside that changes. Use "
            "PyTorch's global generator, which is seeded"
        )
    new = seeded_module(lesson, params)
    raise UserError(
        f"forward remembers an earlier call{_changed(first.module, new)}, and a trial that is "
        "paused would lose that: keep it in a buffer, by register_buffer"
    )


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies of tensors, by their names."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def hint_of_types(fault: str, lesson: ModuleLesson) -> str:
    """What to do about rows of a type that the user's code does not take; empty for others."""
    if not any(word in fault for word in ("dtype", "scalar type", "indices")):
        return ""
    hints = []
    if lesson.x.dtype == torch.int64 and ("Long" in fault or "long" in fault):
        hints.append("x holds whole numbers: for a network, give fractions, by x.float()")
    if lesson.x.is_floating_point() and "indices" in fault:
        hints.append("x holds fractions: for an embedding, give whole numbers, by x.long()")
    if lesson.y.dtype == torch.int64 and lesson.x.is_floating_point() and "Long" in fault:
        hints.append("y holds whole numbers: give fractions, by y.float()")
    return "".join(f"; {hint}" for hint in hints)


@contextmanager
def unchanged_rows(lesson: ModuleLesson) -> Iterator[None]:
    """Raises UserError at the end if somebody has written into the rows."""
    before = _versions(lesson)
    yield
    changed = [name for name, version in _versions(lesson).items() if version != before[name]]
    if changed:
        kind = (
            "model changes its input" if changed[0].startswith("x") else "loss changes its target"
        )
        raise UserError(
            f"the {kind} in place, which all trials share ({', '.join(changed)}): let it work on a "
            "copy, by clone()"
        )


def _versions(lesson: ModuleLesson) -> dict[str, int]:
    there = {name: getattr(lesson, name) for name in _ARRAYS}
    return {name: array._version for name, array in there.items() if array is not None}


def _gradient(learner: ModuleLearner) -> bytes:
    """The gradient of the first batch."""
    learner.learn(next(learner.order.epoch())[0], 0)
    assert learner.weights.grad is not None
    return learner.weights.grad.numpy().tobytes()


def _changed(module: nn.Module, new: nn.Module) -> str:
    """The attributes in which a module differs from a new one, for a message."""
    parts = dict(new.named_modules())
    names = [
        f"{place}.{name}" if place else name
        for place, part in module.named_modules()
        for name, value in vars(part).items()
        if not name.startswith("_")
        and name != "training"
        and brief(vars(parts[place]).get(name)) != brief(value)
    ]
    return f" ({', '.join(names[:3])})" if names else ""


def _refuse_broadcast(
    named: str, function: Callable[[Tensor, Tensor], Any], outputs: Tensor, y: Tensor
) -> None:
    """Refuses a function that takes `(n, 1)` and `(n,)` for every pair of rows."""
    few, targets = outputs[:_FEW], y[:_FEW]
    if few.dim() + targets.dim() != 3 or few.numel() != targets.numel() or len(few) < 2:
        return
    # A new model may answer alike for all rows, and then no number shows it.
    draw = torch.Generator().manual_seed(0)
    drawn = (torch.randn(few.shape, generator=draw) for _ in range(_TRIES))
    if all(_flat_alike(function, some, targets) for some in (few, *drawn)):
        return
    raise UserError(
        f"{named} compares each row with all others, since the output has the shape "
        f"{tuple(outputs.shape)} and the target {tuple(y.shape)}: use output.flatten() and "
        "target.flatten()"
    )


def _flat_alike(
    function: Callable[[Tensor, Tensor], Any], outputs: Tensor, targets: Tensor
) -> bool:
    """Whether a function gives the same for columns of one number as without that axis."""
    flat = _value(function, outputs.reshape(-1).clone(), targets.reshape(-1).clone())
    if flat is None:
        return True
    found, again = (_value(function, outputs.clone(), targets.clone()) for _ in range(2))
    if found is None or again != found:  # What draws has another fault.
        return True
    return math.isclose(found, flat, rel_tol=_ALIKE, abs_tol=_ALIKE)


def _value(function: Callable[[Tensor, Tensor], Any], *given: Tensor) -> float | None:
    """What a function gives; None if it fails, or that is not a finite number."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch warns of the shapes.
            number = real_number(function(*given))
    except Exception:  # It is called with other shapes than it was written for.
        return None
    return None if number is None or not math.isfinite(number) else float(number)


def _refuse_changes(
    named: str, function: Callable[[Tensor, Tensor], Any], outputs: Tensor, y: Tensor
) -> None:
    given = {"output": outputs.clone(), "target": y.clone()}
    before = {name: tensor._version for name, tensor in given.items()}
    function(*given.values())
    for name, tensor in given.items():
        if tensor._version != before[name]:
            raise UserError(
                f"{named} changes the {name} in place, which others use, too: let it work on "
                f"{name}.clone()"
            )


def _refuse_draws(
    named: str, function: Callable[[Tensor, Tensor], Any], outputs: Tensor, y: Tensor
) -> None:
    draws = Draws()
    with others_drawn() as drawn, draws:
        first = real_number(function(outputs, y))
    if found := [*draws.functions, *drawn]:
        raise UserError(
            f"{named} draws random numbers ({', '.join(found)}), so equal models would differ: use "
            "all rows, or a generator with a seed, made anew at every call"
        )
    if brief(real_number(function(outputs, y))) != brief(first):
        raise UserError(f"{named} gives another number when it is called again with the same rows")
