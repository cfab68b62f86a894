"""One module computing for many lanes at once, each with its own parameters, buffers and rates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vjp, vmap

from xortune.engines.plain.dropout_calls import DropoutCalls
from xortune.engines.plain.module import checked_loss, checked_outputs, learnable
from xortune.engines.stacked.structure import DROPOUTS

Loss = Callable[[Tensor, Tensor], Tensor]
Tensors = Mapping[str, Tensor]
# What vmap says of operations that it knows as a composition only, such as those of nn.GRU.
_COMPOSED = "Batching rule not implemented"


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
        drops: whether dropout has a rate in any of them.
    """

    def __init__(self, module: nn.Module, loss: Loss, *, drops: bool) -> None:
        self._module = module
        self._loss = loss
        named = module.named_modules()
        self._dropouts = [(name, part) for name, part in named if isinstance(part, DROPOUTS)]
        self._drops = drops
        self._inside = False
        self._learns = vmap(self._lane_loss, randomness="error")
        inner = grad_and_value(self._lane_loss, has_aux=True)
        self._learns_inside = vmap(inner, randomness="error")
        self._says = vmap(self._lane_outputs, (0, 0, None), randomness="error")
        self._says_inside = vmap(self._outputs_inside, (0, 0, None), randomness="error")

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
            self.outputs(twice, others, x)
            self.step(twice, others, torch.stack((x, x)), torch.stack((y, y)), factors)
        except RuntimeError as error:
            if _COMPOSED not in str(error):
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
        self._train()
        given = dict(buffers), x, y, dict(factors)
        if self._inside:
            with torch.no_grad():
                gradients, (losses, after) = self._learns_inside(dict(weights), *given)
            return Step(losses, gradients, after)
        leaves = {name: tensor.detach().requires_grad_() for name, tensor in weights.items()}
        losses, after = self._learns(leaves, *given)
        found = torch.autograd.grad(
            learnable(losses), [*leaves.values()], torch.ones_like(losses), allow_unused=True
        )
        after = {name: buffer.detach() for name, buffer in after.items()}
        return Step(losses.detach(), dict(zip(leaves, found)), after)

    def outputs(self, weights: Tensors, buffers: Tensors, x: Tensor) -> Tensor:
        """The outputs of all lanes for the same rows, in evaluation: `(L, n, ...)`."""
        self._evaluate()
        says = self._says_inside if self._inside else self._says
        with torch.no_grad():
            outputs: Tensor = says(dict(weights), dict(buffers), x)
        return outputs.detach()

    def _calls(self, weights: Tensors, buffers: Tensors, x: Tensor, y: Tensor) -> list[Call]:
        found: list[Call] = []

        def note(call: int, rate: Any, shape: Sequence[int]) -> Tensor:
            found.append(Call(call, rate, tuple(shape)))
            return torch.ones(*shape)

        self._train()
        state = {name: tensor.clone() for name, tensor in {**weights, **buffers}.items()}
        with torch.no_grad(), DropoutCalls(note):
            self._loss(functional_call(self._module, state, (x,)), y)
        return found

    def _train(self) -> None:
        self._module.train()
        for name, part in self._dropouts:
            part.p = Rate(name) if self._drops else 0.0  # type: ignore[assignment]

    def _evaluate(self) -> None:
        self._module.eval()
        for _, part in self._dropouts:
            part.p = 0.0

    def _lane_loss(
        self,
        weights: dict[str, Tensor],
        buffers: dict[str, Tensor],
        x: Tensor,
        y: Tensor,
        factors: dict[int, Tensor],
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a lane, and its buffers after it."""
        state = {**weights, **buffers}
        with _given(factors):
            loss = checked_loss(self._loss(functional_call(self._module, state, (x,)), y))
        # A module may change a buffer in place, or put another in its place.
        return loss, {name: state[name] for name in buffers}

    def _lane_outputs(
        self, weights: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor
    ) -> Tensor:
        outputs = functional_call(self._module, {**weights, **buffers}, (x,))
        return checked_outputs(outputs, len(x))

    def _outputs_inside(
        self, weights: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor
    ) -> Tensor:
        outputs, _ = vjp(lambda given: self._lane_outputs(given, buffers, x), weights)
        result: Tensor = outputs
        return result


@contextmanager
def _given(factors: Mapping[int, Tensor]) -> Iterator[None]:
    """Dropout multiplies by these factors, call by call."""
    calls = DropoutCalls(lambda call, rate, shape: factors[call])
    with calls if factors else nullcontext():
        yield
