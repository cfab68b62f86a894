"""Finds operations whose last numbers round in another way than the others.

Kernels compute many numbers at once, and some of them the last few by another formula. In a stack
those lie in the last lanes, so the lanes must fill whole vectors.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from xortune.engines.stacked.operations import Operations

# Fewer numbers than a vector of any processor has, and as many of such pieces as fill vectors.
_PIECE = 7
_COUNT = 256 * _PIECE


class Tails(Operations):  # type: ignore[no-untyped-call]
    """While entered, tries each operation on many numbers at once and on a few at a time.

    Attributes:
        found: the operations of which the results differ, by name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._tried: set[Any] = set()

    def see(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Tries an operation, once."""
        if torch.Tag.pointwise in func.tags and func not in self._tried:
            self._try(func, args, kwargs)

    def _try(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        tensors = [arg for arg in args if isinstance(arg, Tensor) and arg.dim()]
        if not tensors or not all(map(_is_flat, tensors)):
            return  # Where rows are not one after the other, each of them has its own end.
        shape = tensors[0].shape
        if any(tensor.shape != shape or not tensor.numel() for tensor in tensors):
            return
        self._tried.add(func)
        many = [_numbers(arg) for arg in args]
        few = [
            [arg[start : start + _PIECE].clone() if _is_many(arg) else arg for arg in many]
            for start in range(0, _COUNT, _PIECE)
        ]
        if not _alike(func(*many, **kwargs), [func(*some, **kwargs) for some in few]):
            self.found.append(func.overloadpacket.__name__)


def _is_flat(tensor: Tensor) -> bool:
    return tensor.is_contiguous() and tensor.is_floating_point()


def _is_many(arg: Any) -> bool:
    return isinstance(arg, Tensor) and arg.dim() > 0


def _numbers(arg: Any) -> Any:
    """Of an argument with numbers, as many as are tried: its own, and others of their size."""
    if not _is_many(arg):
        return arg
    own = arg.detach().reshape(-1)[:_COUNT]
    repeated = own.repeat(-(-_COUNT // len(own)))[:_COUNT]
    return repeated * torch.linspace(0.5, 1.5, _COUNT)


def _alike(whole: Any, pieces: list[Any]) -> bool:
    if not isinstance(whole, Tensor) or whole.dtype != torch.float32:
        return True
    return torch.equal(whole.view(torch.int32), torch.cat(pieces).view(torch.int32))
