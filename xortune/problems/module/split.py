"""The rows that a module learns from and is measured on, as its `data` returns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Split:
    """Rows for training, for validation, and perhaps for a test that no search sees.

    All are arrays, or tensors on the CPU, whose first axis are the rows. Fractions become float32;
    whole numbers and truth values int64, such as words for an embedding, or classes.

    Args:
        x: the inputs that trials learn from, `(n, ...)`.
        y: their targets, `(n,)` or `(n, ...)`.
        x_validation: the inputs on which trials are compared, `(m, ...)`.
        y_validation: their targets.
        x_test: the inputs on which the best trial is measured in the end; None for no test.
        y_test: their targets.

    Example:
        def data():
            x = torch.linspace(-3, 3, 200).unsqueeze(1)
            y = torch.sin(x)
            return xortune.Split(x[::2], y[::2], x[1::2], y[1::2])
    """

    x: Any
    y: Any
    x_validation: Any
    y_validation: Any
    x_test: Any = None
    y_test: Any = None
