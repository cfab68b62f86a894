"""New rows for a module that brings its data: read, and checked against the rows it has learnt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from xortune.errors import UsageError
from xortune.escaping import visible
from xortune.plain_numbers import brief
from xortune.problems.module.rows import Array, ModuleRows, content_at_fault

_X = "X"  # the inputs among the arrays of a file, as of a table


def asked_rows(inputs: Any, learnt: ModuleRows) -> Array:
    """The rows as the module takes them, `(n, ...)`, of the type and shape of those it has learnt.

    Args:
        inputs: an array, a tensor or a DataFrame; or a file: `.npy`, or `.npz` and `.pt` with an
            array `X`, or one that tables are read from, with columns of numbers. Rows with more
            axes may be flat.
        learnt: the rows of its data.

    Raises:
        UsageError: they cannot be read, or the module takes others.
    """
    array, name = _read(inputs)
    if fault := content_at_fault(array):
        raise UsageError(f"{name}: {fault}.")
    wanted = learnt.x.shape[1:]
    if (array.ndim == 1 and wanted == (1,)) or array.shape[1:] == (int(np.prod(wanted)),):
        array = array.reshape(-1, *wanted)
    if array.shape[1:] != wanted:
        raise UsageError(f"{name}: {_other_shape(array.shape, wanted)}")
    if learnt.x.dtype == np.int64 and (array != np.rint(array)).any():
        raise UsageError(f"{name}: holds fractions, and the model takes whole numbers.")
    return np.ascontiguousarray(array, learnt.x.dtype)


def _other_shape(there: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    numbers = int(np.prod(wanted))
    flat = "" if len(wanted) == 1 else f", or rows of {numbers:,} numbers"
    return (
        f"has the shape {there}, and the model takes rows of shape {wanted}. Give an array of "
        f"shape {('n', *wanted)}{flat}.".replace("'n'", "n")
    )


def _read(inputs: Any) -> tuple[Array, str]:
    """The numbers, and the name of where they are from."""
    if isinstance(inputs, (str, os.PathLike)):
        path = Path(inputs)
        return _of_file(path), visible(path.name)
    if hasattr(inputs, "iloc"):
        return _of_columns(inputs, "inputs"), "inputs"
    return _array(inputs, "inputs"), "inputs"


def _of_file(path: Path) -> Array:
    from xortune.problems.table.reading import check_file, read_frame

    check_file(path)
    read = {".npy": _npy, ".npz": _npz, ".pt": _pt, ".pth": _pt}.get(path.suffix.lower())
    if read is None:
        return _of_columns(read_frame(path), visible(path.name))
    return _array(read(path), visible(path.name))


def _npy(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        # NumPy's own message proposes to execute what the file holds.
        raise UsageError(
            f"{path.name} cannot be read: it is damaged, or holds Python objects, which are not "
            "loaded. Save an array of numbers with numpy.save."
        ) from None


def _npz(path: Path) -> Any:
    from xortune.problems.table.arrays import read_npz

    return _named_x(read_npz(path), path)


def _pt(path: Path) -> Any:
    from xortune.problems.table.arrays import load_pt

    content = load_pt(path)
    return _named_x(content, path) if isinstance(content, Mapping) else content


def _named_x(arrays: Mapping[str, Any], path: Path) -> Any:
    if _X not in arrays:
        names = ", ".join(map(str, [*arrays][:12])) or "nothing"
        raise UsageError(f"{path.name} holds {names}. It must hold the array {_X}.")
    return arrays[_X]


def _of_columns(frame: Any, name: str) -> Array:
    """The columns of a frame, all of them numbers."""
    for column, kind in frame.dtypes.items():
        if getattr(kind, "kind", "O") not in "biuf":
            raise UsageError(
                f"{name}: the column {brief(str(column))} holds no numbers, and the model takes "
                "numbers alone. Leave out what it does not take."
            )
    return _array(frame.to_numpy(), name)


def _array(values: Any, name: str) -> Array:
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.float() if str(values.dtype) == "torch.bfloat16" else values
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"{name} is not an array: {error}.") from None
