"""Finds what a module draws at random while it computes, apart from dropout of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode, resolve_name


class Draws(TorchFunctionMode):
    """While entered, notes the functions of PyTorch that draw from its global generator.

    Enter it before `DropoutCalls`, so that it does not see dropout which draws nothing.

    Attributes:
        functions: their names, without `torch.`; each once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.functions: list[str] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        before = torch.default_generator.get_state()
        result = func(*args, **(kwargs or {}))
        if not torch.equal(before, torch.default_generator.get_state()):
            name = (resolve_name(func) or getattr(func, "__name__", "a function")).split(".")[-1]
            if name not in self.functions:
                self.functions.append(name)
        return result


@contextmanager
def others_drawn() -> Iterator[list[str]]:
    """Notes at the end which other libraries have drawn from their global generators."""
    found: list[str] = []
    numbers, arrays = random.getstate(), repr(np.random.get_state())
    yield found
    if random.getstate() != numbers:
        found.append("the module random")
    if repr(np.random.get_state()) != arrays:
        found.append("NumPy")
