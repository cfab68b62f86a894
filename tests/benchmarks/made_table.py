"""Tables of numbers that are made up, and the same wherever they are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def made_up_table(rows: int, inputs: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Inputs, `(rows, inputs)`, and a target, `(rows,)`, that bends and has some noise."""
    generator = np.random.Generator(np.random.PCG64(0))
    x = generator.standard_normal((rows, inputs), np.float32)
    noise = 0.1 * generator.standard_normal(rows, np.float32)
    return x, np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + x[:, 3:].mean(axis=1) + noise


def write_csv(path: Path, rows: int, inputs: int) -> None:
    """Writes the columns x0, x1 ... and y."""
    x, y = made_up_table(rows, inputs)
    names = [*(f"x{place}" for place in range(inputs)), "y"]
    np.savetxt(path, np.column_stack((x, y)), "%.6g", ",", header=",".join(names), comments="")


def write_npz(path: Path, rows: int, inputs: int) -> None:
    """Writes the arrays X and y."""
    x, y = made_up_table(rows, inputs)
    np.savez(path, X=x, y=y)


def made_rows(rows: int, inputs: int, outputs: int) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Inputs, `(rows, inputs)`, and what a network learns from them.

    With one output that is a number, `(rows, 1)`; with more of them a class, `(rows,)`.
    """
    generator = np.random.Generator(np.random.PCG64(0))
    x = generator.standard_normal((rows, inputs), np.float32)
    score = np.tanh(x[:, 0] + x[:, 1]) + 0.1 * generator.standard_normal(rows, np.float32)
    if outputs == 1:
        return x, score[:, None]
    classes = np.digitize(score, np.linspace(-1, 1, outputs + 1)[1:-1])
    return x, classes.astype(np.int64)
