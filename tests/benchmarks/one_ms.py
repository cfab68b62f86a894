"""A function that takes one millisecond, as a user would declare it.

python -m xortune search --problem tests/benchmarks/one_ms.py --trials 1000
"""

from __future__ import annotations

import time
from typing import Any

import xortune

SECONDS = 0.001


def value(x: float, y: float) -> float:
    """Of a curved valley, whose minimum, 0, lies at (1, 1)."""
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def busy_value(x: float, y: float) -> float:
    """The same, after a millisecond of work; a sleep would leave the core to others."""
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        pass
    return value(x, y)


def train(config: dict[str, Any], report: Any) -> float:
    return busy_value(config["x"], config["y"])


problem = xortune.Problem(
    train, space={"x": {"min": -2.0, "max": 2.0}, "y": {"min": -1.0, "max": 3.0}}
)
