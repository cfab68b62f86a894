"""Which layer of a model an exception comes from, where the user's own lines do not tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from xortune.problems.module.lesson import ModuleLesson

_LONGEST = 80  # of a layer in words


def failed_layer(error: BaseException, lesson: ModuleLesson) -> str:
    """The innermost layer that was being called, and what to do about it; empty for none.

    Args:
        error: the exception of the user's code, or of PyTorch below it.
        lesson: whose rows the model was given.

    Example:
        failed_layer(error, lesson)  # , in layer 0 of the model, Linear(in_features=7, ...)
    """
    called = list(_called(error))
    if not called:
        return ""
    (model, _), (layer, taken) = called[0], called[-1]
    if layer is model and not type(model).__module__.startswith("torch."):
        return ""  # It is the user's, whose line is shown.
    name = next((name for name, part in model.named_modules() if part is layer), "")
    where = f"layer {name} of the model" if name else "the model"
    return f", in {where}, {_in_words(layer)}{_hint(layer, taken, lesson)}"


def _called(error: BaseException) -> Iterator[tuple[nn.Module, Any]]:
    """The modules whose calls had begun and not ended, outermost first, and what they took."""
    while error.__cause__ is not None:
        error = error.__cause__  # What the user's code has raised.
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code is nn.Module._call_impl.__code__:
            given = frame.f_locals.get("args")
            yield frame.f_locals["self"], given[0] if given else None
        trace = trace.tb_next


def _in_words(layer: nn.Module) -> str:
    text = " ".join(repr(layer).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _hint(layer: nn.Module, taken: Any, lesson: ModuleLesson) -> str:
    if isinstance(taken, tuple):
        return "; it is given a tuple, such as nn.GRU returns: give it the first part"
    width = getattr(layer, "in_features", getattr(layer, "input_size", None))
    columns = lesson.x.shape[-1]
    first = isinstance(taken, Tensor) and taken.shape[1:] == lesson.x.shape[1:]
    if width is None or not first or width == columns or lesson.x.dim() != 2:
        return ""
    return f"; x has {columns} columns: the keyword inputs of model is their number"
