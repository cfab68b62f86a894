"""Operations on the tensors of a stack, recorded once and compiled for any number of lanes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch._dynamo.source import ConstantSource
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental import _config as symbolic
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import (
    DimDynamic,
    ShapeEnv,
    StatelessSymbolicContext,
)

# A function of a list of tensors.
Computation = Callable[..., list[Tensor]]
# One thread, and no processes that compile beside this one.
_OPTIONS: dict[str, str | int | bool | Callable[..., Any]] = {
    "cpp.threads": 1,
    "compile_threads": 1,
}


class FixedLanesError(Exception):
    """PyTorch can record these operations for one number of lanes only."""


class Recording:
    """What a function has computed with some tensors, as a program for others of other sizes.

    Args:
        function: which is called once, with tensors that have sizes and no numbers.
        tensors: its arguments, of which the last have the lanes as their first axis.
        axes: of each argument, those which may have other sizes.

    Raises:
        FixedLanesError: the number of lanes would be part of the program.
    """

    def __init__(
        self,
        function: Computation,
        tensors: Sequence[Tensor],
        axes: Sequence[Sequence[int]],
    ) -> None:
        self._shapes = ShapeEnv(duck_shape=False)  # Equal sizes are not one size.
        mode = FakeTensorMode(shape_env=self._shapes, allow_non_fake_inputs=True)
        self._like = [
            mode.from_tensor(
                tensor,
                source=ConstantSource(f"tensor_{place}"),
                symbolic_context=StatelessSymbolicContext(dynamic_sizes=_sizes(tensor, own)),
            )
            for place, (tensor, own) in enumerate(zip(tensors, axes))
        ]
        graph = make_fx(function, tracing_mode="symbolic")(*self._like)
        if _fixed(self._like[-1].shape[0]) is not None:
            raise FixedLanesError
        self._compiled: Callable[..., list[Tensor]] = torch.compile(
            graph, fullgraph=True, dynamic=True, options=_OPTIONS
        )

    def suits(self, tensors: Sequence[Tensor]) -> bool:
        """Whether the function would have computed the same with these."""
        for like, tensor in zip(self._like, tensors):
            fixed = [_fixed(size) for size in like.shape]
            if any(f not in (None, size) for f, size in zip(fixed, tensor.shape)):
                return False
        return self._shapes.evaluate_guards_for_args(self._like, tensors)

    def __call__(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Computes with these tensors; those that the function changes are changed."""
        with torch.no_grad(), _compiling():
            return self._compiled(*tensors)


@contextmanager
def _compiling() -> Iterator[None]:
    """Sizes are as in a recording, and PyTorch's warnings of its own code are left unsaid."""
    with warnings.catch_warnings(), symbolic.patch(use_duck_shape=False):  # type: ignore[attr-defined]
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _sizes(tensor: Tensor, axes: Sequence[int]) -> list[DimDynamic]:
    return [
        DimDynamic.DYNAMIC if axis in axes else DimDynamic.STATIC for axis in range(tensor.dim())
    ]


def _fixed(size: Any) -> int | None:
    """The number that a size always is, if it is one."""
    if isinstance(size, torch.SymInt):
        found: int | None = size.node.maybe_as_int()
        return found
    return int(size)
