"""Arrays and tensors as DataFrames, and the files that hold them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xortune.errors import UsageError
from xortune.problems.table.memory import refuse_too_large

TARGET = "y"  # the name of the target column; inputs are called x0, x1 ...
_NAMES = ("X", "y")


def frame_of_arrays(arrays: Mapping[str, Any], source: str) -> pd.DataFrame:
    """The columns x0, x1 ... of X, and y.

    Args:
        arrays: X, of shape `(n, d)` or `(n,)`, and y, of shape `(n,)` or `(n, 1)`; either may be
            missing, and others are ignored. They are arrays or tensors.
        source: the name of the data, for messages.

    Raises:
        UsageError: neither is there, or their shapes or types do not fit.
    """
    found = {name: _array(arrays[name], f"{source}: {name}") for name in _NAMES if name in arrays}
    if not found:
        names = ", ".join(map(str, list(arrays)[:12])) or "nothing"
        raise UsageError(f"{source} holds {names}. It must hold the arrays X and y.")
    columns: dict[str, NDArray[Any]] = {}
    if "X" in found:
        x = found["X"].reshape(-1, 1) if found["X"].ndim == 1 else found["X"]
        if x.ndim != 2:
            flat = (x.shape[0], int(np.prod(x.shape[1:]))) if x.ndim else (1, 1)
            raise UsageError(
                f"{source}: X has shape {x.shape}; it must have rows and columns. Reshape it to "
                f"{flat}."
            )
        columns = {f"x{i}": x[:, i] for i in range(x.shape[1])}
    if "y" in found:
        y = found["y"]
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        if y.ndim != 1:
            raise UsageError(f"{source}: y has shape {y.shape}; it must have one value a row.")
        rows = next((len(column) for column in columns.values()), len(y))
        if len(y) != rows:
            raise UsageError(f"{source}: X has {rows:,} rows, but y has {len(y):,}.")
        columns[TARGET] = y
    return pd.DataFrame(columns)


def read_npz(path: Path) -> Mapping[str, Any]:
    """The arrays X and y of a `.npz` file. Objects, which are pickled, are refused.

    Raises:
        UsageError: it is not such a file, holds objects, or is too large for memory.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        refuse_too_large(path.name, size // 8, 1)
        with np.load(path, allow_pickle=False) as file:
            wanted = [name for name in _NAMES if name in file.files] or file.files
            return {name: file[name] if name in _NAMES else None for name in wanted}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        if "allow_pickle" in str(error):
            raise UsageError(
                f"{path.name} holds Python objects, which are not loaded. Save X and y as arrays "
                "of numbers or text."
            ) from None
        raise UsageError(f"{path.name} cannot be read as a .npz file: {error}") from None


def read_pt(path: Path) -> Mapping[str, Any]:
    """The tensors of a `.pt` file.

    Raises:
        UsageError: it is not a dictionary of tensors, or too large for memory.
    """
    content = load_pt(path)
    if not isinstance(content, Mapping):
        kind = type(content).__name__
        raise UsageError(f"{path.name} holds a {kind}. It must hold a dict of tensors X and y.")
    return content


def load_pt(path: Path) -> Any:
    """The content of a `.pt` file, read with `weights_only`, which executes nothing.

    Raises:
        UsageError: it is damaged, holds more than tensors, or is too large for memory.
    """
    import torch

    refuse_too_large(path.name, path.stat().st_size // 8, 1)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # Damaged files raise IndexError, KeyError and more.
        # PyTorch's own message proposes to execute what the file holds.
        raise UsageError(
            f"{path.name} cannot be read: it is damaged, or holds more than tensors. Save them "
            "with torch.save({'X': X, 'y': y}, path)."
        ) from None


def _array(value: Any, place: str) -> NDArray[Any]:
    """An array or a tensor as an array of numbers, truth values or text."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"{place} is not an array: {error}") from None
    if array.dtype == object and all(isinstance(v, str) for v in array.flat):
        array = array.astype(str)
    if array.dtype.kind not in "biufU":
        raise UsageError(f"{place} holds values of type {array.dtype}, not numbers or text.")
    return array
