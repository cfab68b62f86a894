"""What lanes of one structure compute, as compiled programs: a step of training, and its loss."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor
from torch.func import vmap

from xortune.engines.plain.module import checked_loss
from xortune.engines.stacked.one_formula import update
from xortune.engines.stacked.recording import Computation, FixedLanesError, Recording
from xortune.engines.stacked.stack import Plan, Stack
from xortune.engines.user_code import UserError, user_code

if TYPE_CHECKING:
    from xortune.engines.stacked.network import Network, Tensors

Loss = Callable[[Tensor, Tensor], Tensor]
FIXED_LANES = "PyTorch compiles this module for a fixed number of lanes only"


class Programs:
    """Programs of lanes of one structure, each compiled when it is first needed.

    Args:
        words: for what the user's code raises.
    """

    def __init__(self, words: Callable[[BaseException], str]) -> None:
        self._words = words
        self._recorded: dict[Hashable, list[Recording]] = {}
        self._chosen: dict[Hashable, Recording] = {}

    def learn(
        self,
        network: Network,
        plan: Plan,
        stack: Stack,
        batch: tuple[Tensor, Tensor],
        factors: Mapping[int, Tensor],
        coefficients: Tensor,
    ) -> Tensor:
        """A step of every lane of a stack, which is changed; the losses before it, `(L,)`.

        Args:
            network: of the lanes.
            plan: of their weights.
            stack: the lanes.
            batch: inputs and targets of each, `(L, B, ...)`.
            factors: as for `Network.step`.
            coefficients: of the optimizers, as for `update`.
        """
        names, calls = tuple(stack.buffers), tuple(factors)

        def step(
            weights: Tensor, first: Tensor, second: Tensor, coefficients: Tensor, x: Tensor,
            y: Tensor, *rest: Tensor,
        ) -> list[Tensor]:  # fmt: skip
            # Modules change their buffers; the stack gets others instead.
            buffers = {name: held.clone() for name, held in zip(names, rest)}
            given = dict(zip(calls, rest[len(names) :]))
            taken = network.step(plan.arrays(weights), buffers, x, y, given)
            update(weights, plan.together(taken.gradients, weights), first, second, coefficients)
            return [taken.losses, *taken.buffers.values()]

        state = stack.weights, stack.first, stack.second, coefficients
        tensors = [*state, *batch, *stack.buffers.values(), *factors.values()]
        lanes, rows = [(0,)], [(0, 1)]
        axes = [*lanes * len(state), *rows * 2, *lanes * len(names), *rows * len(calls)]
        losses, *buffers = self._run(("step", calls), step, tensors, axes)
        stack.buffers = dict(zip(names, buffers))
        return losses

    def losses(
        self,
        network: Network,
        loss: Loss,
        weights: Tensors,
        buffers: Tensors,
        rows: tuple[Tensor, Tensor],
    ) -> Tensor:
        """A loss of all lanes on the same rows, `(L,)`; see `Network.outputs`."""
        names, held = tuple(weights), tuple(buffers)

        def measure(x: Tensor, y: Tensor, *tensors: Tensor) -> list[Tensor]:
            own = dict(zip(names, tensors)), dict(zip(held, tensors[len(names) :]))
            outputs = network.outputs(*own, x)
            return [vmap(lambda o, y: checked_loss(loss(o, y)), (0, None))(outputs, y)]

        tensors = [*rows, *weights.values(), *buffers.values()]
        return self._run(("loss", loss), measure, tensors, [(0,)] * len(tensors))[0]

    def _run(
        self,
        kind: Hashable,
        function: Computation,
        tensors: Sequence[Tensor],
        axes: Sequence[Sequence[int]],
    ) -> list[Tensor]:
        key = kind, tuple(tuple(tensor.shape) for tensor in tensors)
        if key not in self._chosen:
            every = self._recorded.setdefault(kind, [])
            found = next((one for one in every if one.suits(tensors)), None)
            if found is None:
                with user_code(self._words):
                    try:
                        found = Recording(function, tensors, axes)
                    except FixedLanesError:
                        raise UserError(FIXED_LANES) from None
                every.append(found)
            self._chosen[key] = found
        return self._chosen[key](tensors)
