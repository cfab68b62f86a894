"""Measures the lanes of a stack: their outputs for rows that all share, and losses of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import vmap

from xortune.engines.plain.module import checked_loss
from xortune.engines.stacked.form import Form
from xortune.engines.stacked.network import Tensors
from xortune.engines.stacked.padding import Padding
from xortune.engines.user_code import user_code

# The most rows that are measured at once, over all lanes, as a multiple of a lane's share; and
# where it is a program, of which a call takes longer and the arrays are fewer.
_MOST_SHARES = 1
_MOST_SHARES_COMPILED = 4


class Outputs(NamedTuple):
    """The outputs of some lanes beside each other."""

    first: int  # the place of the first lane
    values: Tensor  # `(L, n, ...)`


class Measures:
    """Measures lanes of a form.

    Args:
        form: of the lanes.
        padding: that they need.
        heartbeat: called at intervals.
    """

    def __init__(self, form: Form, padding: Padding, heartbeat: Callable[[], None]) -> None:
        self._form = form
        self._padding = padding
        self._heartbeat = heartbeat

    def own_losses(self, weights: Tensors, buffers: Tensors) -> list[float]:
        """The loss that the lanes are trained with, on all rows that they learn from."""
        lesson = self._form.lesson
        return self._losses(self._form.loss, weights, buffers, lesson.x, lesson.y)

    def validated(self, weights: Tensors, buffers: Tensors) -> list[float]:
        """The final loss of each lane, on the validation rows."""
        lesson = self._form.lesson
        loss = lesson.losses[lesson.loss]
        return self._losses(loss, weights, buffers, lesson.x_validation, lesson.y_validation)

    def outputs(self, weights: Tensors, buffers: Tensors, x: Tensor) -> Iterator[Outputs]:
        """The outputs for some rows, some lanes at a time."""
        rows = self._form.most_rows
        for part in self._parts(weights, x):
            some, others = (_part(held, part) for held in (weights, buffers))
            found = []
            for piece in torch.split(x, rows):
                self._heartbeat()
                with user_code(self._form.lesson.words):
                    found.append(self._form.network.outputs(some, others, piece))
            yield Outputs(part.start, found[0] if len(found) == 1 else torch.cat(found, dim=1))

    def _losses(
        self,
        loss: Callable[[Tensor, Tensor], Tensor],
        weights: Tensors,
        buffers: Tensors,
        x: Tensor,
        y: Tensor,
    ) -> list[float]:
        found: list[float] = []
        programs, most = self._form.programs, self._form.most_rows
        if programs is not None and len(x) <= most:
            for part in self._parts(weights, x):
                some, others = (_part(held, part) for held in (weights, buffers))
                self._heartbeat()
                found_here = programs.losses(self._form.network, loss, some, others, (x, y))
                found += found_here.tolist()
            return found
        every = vmap(
            lambda outputs, y: checked_loss(loss(outputs, y)), (0, None), randomness="error"
        )
        with torch.no_grad():
            for outputs in self.outputs(weights, buffers, x):
                with user_code(self._form.lesson.words):
                    found += every(outputs.values, y).tolist()
        return found

    def _parts(self, weights: Tensors, x: Tensor) -> list[slice]:
        """The lanes that are measured together."""
        rows = self._form.most_rows
        lanes = len(next(iter(weights.values())))
        shares = _MOST_SHARES if self._form.programs is None else _MOST_SHARES_COMPILED
        return self._padding.parts(lanes, max(2, shares * rows // min(len(x), rows)))


def _part(held: Tensors, lanes: slice) -> Tensors:
    return {name: tensor.detach()[lanes] for name, tensor in held.items()}
