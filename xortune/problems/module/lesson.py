"""A module's problem in the process where it trains: what makes it, its rows, losses, metrics."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from xortune.errors import NoEngineError, UsageError
from xortune.plain_numbers import brief
from xortune.prints import hidden_prints
from xortune.problems.code.code import Code
from xortune.problems.code.faults import in_one_line, with_lines
from xortune.problems.module.declared import DeclaredModule, keyword_values, keywords_of
from xortune.problems.module.losses import LOSSES, Loss
from xortune.problems.module.rows import Array, ModuleRows, rows_of
from xortune.wording import option

Metric = Callable[[Tensor, Tensor], Any]  # of output and target of all validation rows


@dataclass(frozen=True, eq=False)
class Material:
    """A module's code with the rows of its data, as both travel to where they train.

    A file that `data` reads is therefore needed on one machine only. `folds` has the rows of each
    fold where each has a preparation of its own, as those of a table.
    """

    code: Code
    rows: ModuleRows
    folds: tuple[ModuleRows, ...] = ()
    shown: bool = False  # what the code prints


@dataclass(frozen=True, eq=False)
class ModuleLesson:
    """All that an engine needs of a module's problem.

    Attributes:
        build: makes the module of a trial from its parameters. Its weights are drawn from the
            global generator of PyTorch, which the caller seeds right before.
        x, y, x_validation, y_validation: the rows, contiguous float32 or int64 on the CPU.
        x_test, y_test: those that no search sees; None for none.
        losses: by the choices of `loss_fn`: of output and target, a mean over rows.
        metrics: of output and target of all validation rows.
        loss: the final loss, a name of `losses`, measured on the validation rows.
        words: an exception of the user's code in one line, with the user's place.
        shown: whether what the user's code prints is shown.
        folds: the lessons of the folds, where their rows are prepared each in its own way.
    """

    build: Callable[[Mapping[str, Any]], nn.Module]
    x: Tensor
    y: Tensor
    x_validation: Tensor
    y_validation: Tensor
    x_test: Tensor | None
    y_test: Tensor | None
    losses: Mapping[str, Loss]
    metrics: Mapping[str, Metric]
    loss: str
    words: Callable[[BaseException], str]
    shown: bool = False
    folds: tuple[ModuleLesson, ...] = ()

    @property
    def rows(self) -> ModuleRows:
        """The same rows as arrays."""
        tensors = {field.name: getattr(self, field.name) for field in fields(ModuleRows)}
        return ModuleRows(**{k: t if t is None else t.numpy() for k, t in tensors.items()})  # type: ignore[arg-type]

    def fold(self, k: int, folds: int) -> ModuleLesson:
        """The lesson in which the k-th of so many parts validates: see `ModuleRows.fold`."""
        if self.folds:
            return self.folds[k]
        return replace(self, **_tensors(self.rows.fold(k, folds)))


def load_lesson(source: Code | Material) -> ModuleLesson:
    """The lesson of a problem's code, loaded in this process.

    Args:
        source: the code, whose `data` is then called; or the code with its rows.

    Raises:
        UsageError: the code fails, with the user's lines of the traceback; or it returns rows
            that cannot be learnt from.
    """
    material = source if isinstance(source, Material) else load_material(source)
    code, rows = material.code, material.rows
    with hidden_prints(shown=material.shown):  # It may be loaded here.
        module = code.problem.module
    lesson = ModuleLesson(
        build=_builder(code, module, rows),
        losses={
            name: LOSSES[loss] if isinstance(loss, str) else loss
            for name, loss in module.losses.items()
        },
        metrics=module.metrics,
        loss=module.loss,
        words=lambda error: code.without_folders(in_one_line(error, code.shown)),
        shown=material.shown,
        **_tensors(rows),
    )
    folds = (
        # The words of a column may be fewer in a fold, and so its inputs.
        replace(lesson, build=_builder(code, module, fold), **_tensors(fold))
        for fold in material.folds
    )
    return replace(lesson, folds=tuple(folds))


def load_travelled(material: Material) -> ModuleLesson:
    """As `load_lesson`, where the driver has loaded it already.

    Raises:
        NoEngineError: this machine lacks what the code needs.
    """
    try:
        return load_lesson(material)
    except UsageError as error:
        raise NoEngineError(str(error)) from None


def load_material(code: Code) -> Material:
    """The code with the rows that its `data` returns.

    `data` is called with seeded generators, which afterwards are as they were, so that what it
    draws from `random`, NumPy's and PyTorch's own is the same in every process.

    Raises:
        UsageError: as `load_lesson`.
    """
    data = code.problem.module.data
    named = code.named
    if data is None:
        raise UsageError(
            f"{named}: brings no data. Add a function that returns an xortune.Split: "
            f"Problem(..., data=data); or name a table, with {option('data')}."
        )
    try:
        with code.imports(), seeded_generators():
            rows = rows_of(data())
    except UsageError as error:
        raise UsageError(f"{named}: {error}") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        lines = code.without_folders(with_lines(error, code.shown))
        raise UsageError(f"{named}: data fails: {lines}") from None
    return Material(code, rows)


def _builder(
    code: Code, module: DeclaredModule, rows: ModuleRows
) -> Callable[[Mapping[str, Any]], nn.Module]:
    keywords = keywords_of(module.model)
    given = _of_the_data(module, rows)
    # Where nothing else can be imported, entering this would take longer than some models.
    importing = code.imports if code.includes or code.beside else nullcontext

    def build(params: Mapping[str, Any]) -> nn.Module:
        try:
            with importing():
                made = module.model(**keyword_values(keywords, params), **given)
        except SystemExit as end:  # It would end the worker.
            raise RuntimeError(f"model ends the process: SystemExit: {end}") from end
        return _checked(made)

    return build


def _checked(made: Any) -> nn.Module:
    """What a model has returned; raises TypeError if it cannot be trained."""
    if not isinstance(made, nn.Module):
        raise TypeError(f"model returned {brief(made)}, and must return a torch.nn.Module")
    for name, tensor in (*made.named_parameters(), *made.named_buffers()):
        if nn.parameter.is_lazy(tensor):
            raise TypeError(f"{name} has no shape yet: use no lazy modules, such as nn.LazyLinear")
    return made


def _of_the_data(module: DeclaredModule, rows: ModuleRows) -> dict[str, Any]:
    """The keywords `inputs` and `outputs`, as far as the model has them."""
    names = inspect.signature(module.model).parameters
    ours = [loss for loss in module.losses.values() if isinstance(loss, str)]
    classes = "cross_entropy" in ours or not ours
    values = {"inputs": rows.inputs, "outputs": rows.outputs(classes=classes)}
    return {name: value for name, value in values.items() if name in names}


def _tensors(rows: ModuleRows) -> dict[str, Any]:
    return {name: None if array is None else _aligned(array) for name, array in vars(rows).items()}


def _aligned(rows: Array) -> Tensor:
    """A copy of some rows in PyTorch's own memory, where every copy has the same alignment."""
    kind = torch.float32 if rows.dtype == np.float32 else torch.int64
    copy = torch.empty(rows.shape, dtype=kind, device="cpu")
    copy.numpy()[...] = rows
    return copy


@contextmanager
def seeded_generators() -> Iterator[None]:
    """Seeds the global generators, and then gives them back as they were."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
