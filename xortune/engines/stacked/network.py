"""One module computing for many lanes at once, each with its own parameters, buffers and rates."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import grad_and_value, vjp, vmap

from xortune.engines.plain.dropout_calls import DropoutCalls
from xortune.engines.plain.module import checked_loss, checked_outputs, learnable
from xortune.engines.stacked.held import Held
from xortune.engines.stacked.structure import DROPOUTS

Loss = Callable[[Tensor, Tensor], Tensor]
Tensors = Mapping[str, Tensor]
# What vmap says of operations that it knows as a composition only, such as those of nn.GRU.
_COMPOSED = "Batching rule not implemented"
# What it warns of where it can only repeat an operation lane by lane.
SLOW = "performance drop"


class Rate:
    """Stands for the rate of a lane's dropout, in the module that all lanes share.

    It is no number, so a module that computes with it fails instead of using another lane's.
    """

    def __init__(self, module: str) -> None:
        self.module = module

    def __repr__(self) -> str:
        return f"the rate of {self.module}"


class Call(NamedTuple):
    """A call of dropout in a forward pass."""

    place: int  # among the calls
    rate: Rate | float
    shape: tuple[int, ...]  # of what is dropped in one lane

    def of_lane(self, rates: Mapping[str, float]) -> float:
        """Its rate in a lane, of which the rates of modules are given."""
        return rates[self.rate.module] if isinstance(self.rate, Rate) else float(self.rate)


class Step(NamedTuple):
    """What a batch of each lane gives."""

    losses: Tensor  # `(L,)`
    gradients: dict[str, Tensor | None]  # by the names of the weights, `(L, ...)`; None for zeros
    buffers: dict[str, Tensor]  # after it, `(L, ...)`


class Network:
    """The module of some lanes of one structure, which computes with numbers that it is given.

    Args:
        module: of any of the lanes; it is kept and changed.
        loss: that the lanes are trained with.
        weights: the names of what is trained.
        buffers: the names of what else the module holds.
        drops: whether dropout has a rate in any of the lanes.
    """

    def __init__(
        self,
        module: nn.Module,
        loss: Loss,
        weights: Iterable[str],
        buffers: Iterable[str],
        *,
        drops: bool,
    ) -> None:
        self._module = module
        self._loss = loss
        self._weights = tuple(weights)
        self._buffers = tuple(buffers)
        self._held = Held(module)
        named = module.named_modules()
        self._dropouts = [(name, part) for name, part in named if isinstance(part, DROPOUTS)]
        self._drops = drops
        self._trains: bool | None = None
        # Around the stack, PyTorch leaves the padding out of the gradient of the first lane alone.
        padded = (getattr(part, "padding_idx", None) for part in module.modules())
        self._inside = any(index is not None for index in padded)

    def settle(self, weights: Tensors, buffers: Tensors, x: Tensor, y: Tensor) -> list[Call]:
        """Looks at a batch of a single lane, and changes nothing; the calls of dropout.

        The gradient is taken around the stack, which is faster, unless the module has operations
        that can be stacked only inside of a gradient. That depends on the module alone.
        """
        calls = self._calls(weights, buffers, x, y)
        twice, others = (
            {name: torch.stack((tensor, tensor)) for name, tensor in held.items()}
            for held in (weights, buffers)
        )
        factors = {call.place: torch.ones(2, *call.shape) for call in calls}
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("error", message=f".*{SLOW}.*")
                self.outputs(twice, others, x)
                self.step(twice, others, torch.stack((x, x)), torch.stack((y, y)), factors)
        except (RuntimeError, UserWarning) as error:
            if _COMPOSED not in str(error) and SLOW not in str(error):
                raise
            self._inside = True
        return calls

    def step(
        self,
        weights: Tensors,
        buffers: Tensors,
        x: Tensor,
        y: Tensor,
        factors: Mapping[int, Tensor],
    ) -> Step:
        """The mean loss of each lane's own batch, its gradient, and the buffers after it.

        Args:
            weights: by name, `(L, ...)`.
            buffers: what else the module holds, by name, `(L, ...)`.
            x: the inputs, `(L, B, ...)`.
            y: the targets, `(L, B, ...)`.
            factors: of the calls of dropout that have a rate, by their place, `(L, ...)`.
        """
        self._set(training=True)
        rest = x, y, *buffers.values(), *factors.values()
        lane = partial(self._lane_loss, tuple(factors))
        if self._inside:
            trained = tuple(range(len(weights)))
            inner = vmap(grad_and_value(lane, trained, has_aux=True), randomness="error")
            with torch.no_grad():
                gradients, (losses, after) = inner(*weights.values(), *rest)
        else:
            leaves = [tensor.detach().requires_grad_() for tensor in weights.values()]
            losses, after = vmap(lane, randomness="error")(*leaves, *rest)
            # Of the sum each lane's own loss alone has to do with its weights.
            gradients = torch.autograd.grad(learnable(losses).sum(), leaves, allow_unused=True)
        kept = {name: buffer.detach() for name, buffer in zip(buffers, after)}
        return Step(losses.detach(), dict(zip(weights, gradients)), kept)

    def outputs(self, weights: Tensors, buffers: Tensors, x: Tensor) -> Tensor:
        """The outputs of all lanes for the same rows, in evaluation: `(L, n, ...)`."""
        self._set(training=False)
        given = *weights.values(), *buffers.values()

        def lane(*tensors: Tensor) -> Tensor:
            return self._lane_outputs(x, *tensors)

        def inside(*tensors: Tensor) -> Tensor:
            trained, rest = tensors[: len(weights)], tensors[len(weights) :]
            outputs: Tensor = vjp(lambda *some: lane(*some, *rest), *trained)[0]
            return outputs

        with torch.no_grad():
            outputs: Tensor = vmap(inside if self._inside else lane, randomness="error")(*given)
        return outputs.detach()

    def _calls(self, weights: Tensors, buffers: Tensors, x: Tensor, y: Tensor) -> list[Call]:
        found: list[Call] = []

        def note(call: int, rate: Any, shape: Sequence[int]) -> Tensor:
            found.append(Call(call, rate, tuple(shape)))
            return torch.ones(*shape)

        self._set(training=True)
        state = {name: tensor.clone() for name, tensor in {**weights, **buffers}.items()}
        with torch.no_grad(), DropoutCalls(note), self._held.replaced(state, ()):
            self._loss(self._module(x), y)
        return found

    def _set(self, *, training: bool) -> None:
        if self._trains is training:
            return
        self._trains = training
        self._module.train(training)
        for name, part in self._dropouts:
            part.p = Rate(name) if training and self._drops else 0.0  # type: ignore[assignment]

    def _lane_loss(self, calls: tuple[int, ...], *tensors: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The loss of a lane, and its buffers after it.

        Args:
            calls: the places of the calls of dropout that have a rate.
            tensors: the weights, the inputs, the targets, the buffers, and the factors.
        """
        count = len(self._weights)
        x, y = tensors[count : count + 2]
        rest = tensors[count + 2 :]
        state = dict(zip(self._weights + self._buffers, tensors[:count] + rest))
        factors = dict(zip(calls, rest[len(self._buffers) :]))
        with _given(factors), self._held.replaced(state, self._buffers) as after:
            loss = checked_loss(self._loss(self._module(x), y))
        return loss, after

    def _lane_outputs(self, x: Tensor, *tensors: Tensor) -> Tensor:
        with self._held.replaced(dict(zip(self._weights + self._buffers, tensors)), ()):
            return checked_outputs(self._module(x), len(x))


@contextmanager
def _given(factors: Mapping[int, Tensor]) -> Iterator[None]:
    """Dropout multiplies by these factors, call by call."""
    calls = DropoutCalls(lambda call, rate, shape: factors[call])
    with calls if factors else nullcontext():
        yield
