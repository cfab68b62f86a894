"""Finds operations whose last numbers round in another way than the others.

Kernels compute many numbers at once, and some of them the last few by another formula. In a stack
those lie in the last lanes, so the lanes must fill whole vectors.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_COUNT = 97  # of numbers: some vectors of any processor, and one number more
_SAMPLES = 16  # of the numbers that an operation is given


class Tails(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, tries each operation on numbers that are all alike.

    Attributes:
        found: the operations of which not all results are alike, by name.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[str] = []
        self._tried: set[Any] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if torch.Tag.pointwise in func.tags and func not in self._tried:
            self._try(func, args, kwargs or {})
        return func(*args, **(kwargs or {}))

    def _try(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        tensors = [arg for arg in args if isinstance(arg, Tensor) and arg.dim()]
        if not tensors or not all(_is_flat(tensor) for tensor in tensors):
            return  # Where rows are not one after the other, each of them has its own end.
        shape = tensors[0].shape
        if any(tensor.shape != shape or not tensor.numel() for tensor in tensors):
            return
        self._tried.add(func)
        step = max(1, tensors[0].numel() // _SAMPLES)
        for place in range(0, tensors[0].numel(), step):
            alike = [_repeated(arg, place) for arg in args]
            result = func(*alike, **kwargs)
            if isinstance(result, Tensor) and not _all_alike(result):
                self.found.append(func.overloadpacket.__name__)
                return


def _is_flat(tensor: Tensor) -> bool:
    return tensor.is_contiguous() and tensor.is_floating_point()


def _repeated(arg: Any, place: int) -> Any:
    """One of an argument's numbers, again and again."""
    if not isinstance(arg, Tensor) or not arg.dim():
        return arg
    return arg.detach().reshape(-1)[place].repeat(_COUNT)


def _all_alike(result: Tensor) -> bool:
    if result.dtype != torch.float32:
        return True
    numbers = result.view(torch.int32)
    return bool((numbers == numbers[0]).all())
