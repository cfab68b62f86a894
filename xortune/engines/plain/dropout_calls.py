"""Puts a lane's own dropout in the place of PyTorch's, while a module computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

# Gives the factors of a call: of its place from 0, its rate, and the shape of what is dropped.
Factors = Callable[[int, Any, Sequence[int]], Tensor]

# By function, the axes of channels that are dropped as a whole, after rows and channels.
_CALLS: Mapping[Any, int] = {
    F.dropout: 0,
    torch.dropout: 0,
    F.dropout1d: 1,
    F.dropout2d: 2,
    F.dropout3d: 3,
}


class DropoutCalls(TorchFunctionMode):
    """While entered, a call of dropout multiplies by given factors, and draws nothing.

    Other draws are left alone, and so are `alpha_dropout`, and dropout inside functions such as
    attention.

    Args:
        factors: gives them.

    Attributes:
        count: the calls so far.
    """

    def __init__(self, factors: Factors) -> None:
        super().__init__()
        self._factors = factors
        self.count = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        whole_axes = _CALLS.get(func) if callable(func) else None
        if whole_axes is None:
            return func(*args, **(kwargs or {}))
        return self._dropped(whole_axes, *args, **(kwargs or {}))

    def _dropped(
        self,
        whole_axes: int,
        input: Tensor,
        p: Any = 0.5,
        training: bool = True,
        inplace: bool = False,
        train: bool = True,
    ) -> Tensor:
        if not (training and train):
            return input
        shape = [*input.shape]
        if whole_axes and len(shape) == whole_axes + 2:
            shape[2:] = [1] * whole_axes
        self.count += 1
        if isinstance(p, (int, float)) and p == 0:
            return input
        factors = self._factors(self.count - 1, p, shape)
        return input.mul_(factors) if inplace else input * factors
