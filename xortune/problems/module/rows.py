"""The rows of a split as arrays of the two types that modules are trained with, checked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.module.split import Split
from xortune.problems.table.folds import cut_into_folds
from xortune.problems.table.splitting import Parts

Array = NDArray[Any]  # float32 or int64, the rows first

FOLD_SEED = 0  # of the order in which rows are dealt into folds
_PAIRS = (("x", "y"), ("x_validation", "y_validation"), ("x_test", "y_test"))
_LARGEST = float(np.finfo(np.float32).max)
# What to do about values that are no numbers, by NumPy's kinds.
_BY_NUMBER = ". Number them from 0: numpy.unique(values, return_inverse=True)[1]"
_REMEDIES = {"U": _BY_NUMBER, "S": _BY_NUMBER, "O": ". If all are numbers: .astype(float)"}


@dataclass(frozen=True, eq=False)
class ModuleRows:
    """All rows of a module's data, each array in one piece; see `Split`."""

    x: Array
    y: Array
    x_validation: Array
    y_validation: Array
    x_test: Array | None = None
    y_test: Array | None = None

    @property
    def digest(self) -> str:
        """A digest of all numbers, types and shapes."""
        digest = hashlib.sha256()
        for name, array in vars(self).items():
            if array is not None:
                digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
                digest.update(array.tobytes())
        return digest.hexdigest()[:32]

    @property
    def inputs(self) -> int | tuple[int, ...]:
        """The columns of x; of rows with more axes their shape."""
        shape = self.x.shape[1:]
        return shape[0] if len(shape) == 1 else shape

    def outputs(self, *, classes: bool) -> int | tuple[int, ...]:
        """The outputs of a model: the columns of y, or how many classes whole numbers name.

        Args:
            classes: whether whole numbers name classes.
        """
        if classes and self.y.dtype == np.int64:
            there = [y for y in (self.y, self.y_validation, self.y_test) if y is not None]
            return max(int(y.max()) for y in there) + 1
        shape = self.y.shape[1:]
        return (shape or (1,))[0] if len(shape) < 2 else shape

    def fold(self, k: int, folds: int) -> ModuleRows:
        """The rows where the k-th part of all that are not for testing validates, from 0.

        They are dealt out as those of a table are: see `cut_into_folds`, with `FOLD_SEED`; class
        by class where the targets are whole numbers without another axis.
        """
        x, y = (
            np.concatenate(pair)
            for pair in ((self.x, self.x_validation), (self.y, self.y_validation))
        )
        count, learnt = len(x), len(self.x)
        places = np.arange(count)
        nothing = places[:0]
        parts = Parts(places[:learnt], places[learnt:], nothing)
        labels = y if y.dtype == np.int64 and y.ndim == 1 else None
        if labels is not None:
            labels = np.unique(labels, return_inverse=True)[1]
        part = cut_into_folds(parts, folds, FOLD_SEED, labels)[k]
        learnt_from, validating = part.training, part.validation
        return ModuleRows(
            x[learnt_from], y[learnt_from], x[validating], y[validating], self.x_test, self.y_test
        )


def rows_of(split: Any) -> ModuleRows:
    """The rows that a function `data` has returned.

    Raises:
        UsageError: lists all faults.
    """
    if not isinstance(split, Split):
        raise UsageError(
            f"data: returned {brief(split)}, and must return an xortune.Split(x, y, x_validation, "
            "y_validation)."
        )
    faults: list[str] = []
    arrays = {name: _array(name, value, faults) for name, value in vars(split).items()}
    if not faults:
        faults = [*_lengths_at_fault(arrays), *_shapes_at_fault(arrays)]
    if faults:
        raise UsageError("\n".join(f"data: {fault}" for fault in faults))
    return ModuleRows(**arrays)  # type: ignore[arg-type]


def _array(name: str, value: Any, faults: list[str]) -> Array | None:
    """A field as float32 or int64; None where it is missing, which may be a fault."""
    if value is None:
        if not name.endswith("_test"):
            faults.append(f"{name} is missing.")
        return None
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        why = str(error).partition(". ")[0].rstrip(".")
        faults.append(f"{name} is not an array, but of the type {type(value).__name__}: {why}.")
        return None
    fault = content_at_fault(array)
    if fault:
        faults.append(f"{name} {fault}.")
        return None
    kind = np.float32 if array.dtype.kind == "f" else np.int64
    return np.ascontiguousarray(array, kind)


def content_at_fault(array: NDArray[Any]) -> str:
    """Why an array cannot be learnt from; empty if it can."""
    if array.dtype.kind not in "biuf":
        return (
            f"holds values of type {array.dtype}, not numbers{_REMEDIES.get(array.dtype.kind, '')}"
        )
    if array.ndim == 0 or not array.size:
        return f"has the shape {array.shape}: there must be rows, and numbers in them"
    if array.dtype.kind != "f":
        if array.dtype.kind == "u" and int(array.max()) > np.iinfo(np.int64).max:
            return "holds whole numbers beyond int64"
        return ""
    rows = np.flatnonzero(~(np.abs(array) <= _LARGEST).reshape(len(array), -1).all(axis=1))
    if len(rows):
        return f"holds a number that is not finite in float32, in row {rows[0]}"
    return ""


def _lengths_at_fault(arrays: dict[str, Array | None]) -> list[str]:
    faults = []
    for x, y in _PAIRS:
        first, second = arrays[x], arrays[y]
        if first is None and second is None:
            continue
        if first is None or second is None:
            there, missing = (x, y) if second is None else (y, x)
            faults.append(f"{there} is there, and {missing} is not. Give both, or neither.")
        elif len(first) != len(second):
            faults.append(f"{x} has {len(first):,} rows, and {y} has {len(second):,}.")
    return faults


def _shapes_at_fault(arrays: dict[str, Array | None]) -> list[str]:
    """The faults of rows that differ from those of `x` and `y` in shape or type."""
    faults = []
    for place, names in enumerate(zip(*_PAIRS)):
        first = arrays[names[0]]
        assert first is not None
        if place == 0 and first.ndim == 1:
            faults.append(f"x has the shape {first.shape}. Give rows of numbers: x[:, None].")
        faults += _unlike(names[0], first, [(name, arrays[name]) for name in names[1:]])
    return faults


def _unlike(name: str, first: Array, others: Sequence[tuple[str, Array | None]]) -> list[str]:
    faults = []
    for other, array in others:
        if array is None:
            continue
        if array.shape[1:] != first.shape[1:]:
            faults.append(
                f"{name} has rows of shape {first.shape[1:]}, and {other} of {array.shape[1:]}."
            )
        elif array.dtype != first.dtype:
            kinds = {"f": "fractions", "i": "whole numbers"}
            faults.append(
                f"{name} holds {kinds[first.dtype.kind]}, and {other} "
                f"{kinds[array.dtype.kind]}: convert one."
            )
    return faults
