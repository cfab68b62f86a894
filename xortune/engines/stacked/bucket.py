"""Trains the lanes of a bucket, epoch by epoch, in a stack that shrinks as they end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from xortune.engines.plain.dropout import CallDropout, Kept, kept_at, keys_of, seeds_of
from xortune.engines.plain.optimizers import rate
from xortune.engines.stacked.form import Form, Member
from xortune.engines.stacked.measures import Measures
from xortune.engines.stacked.network import Call
from xortune.engines.stacked.one_formula import Coefficients
from xortune.engines.stacked.optimizers import Updates, kind_of
from xortune.engines.stacked.padding import Padding
from xortune.engines.stacked.stack import Stack
from xortune.engines.user_code import user_code

# Learns from these rows of each lane in a step of the epoch; the losses before it.
Learn = Callable[[Tensor, int], Tensor]


class Bucket:
    """Lanes of one form in training.

    Args:
        form: of the lanes.
        members: the lanes, each at its start or where it paused.
        padding: that they need.
        heartbeat: called at every step.
    """

    def __init__(
        self,
        form: Form,
        members: Sequence[Member],
        padding: Padding,
        heartbeat: Callable[[], None],
    ) -> None:
        self._form = form
        self._padding = padding
        self._heartbeat = heartbeat
        self._measures = Measures(form, padding, heartbeat)
        self._dropout = CallDropout()
        self.steps = -(-len(form.lesson.x) // form.batch)
        self._use(sorted(members, key=lambda member: kind_of(member.params)))
        self._calls = {size: self._settled(size) for size in form.batch_sizes}

    def train(self, until: int | None) -> None:
        """Trains every lane to its end, or to an epoch at which it pauses."""
        self._start()
        while True:
            going = [member for member in self._members if _goes_on(member, until)]
            if len(going) < len(self._members):
                self._take_out(going)
            if not going:
                return
            for member in going:
                member.points.pass_by(member.progress)
            self._advance()

    def _use(self, members: list[Member]) -> None:
        """Stacks the numbers of these lanes."""
        self._members = members
        self._params = [member.params for member in members]
        padded = self._padding.padded(len(members))
        self._stack = Stack(self._form.plan, [member.numbers for member in members], padded)
        filled = [*members, *[members[0]] * (padded - len(members))]
        self._filled = filled
        self._seeds = seeds_of([member.params["seed"] for member in filled])
        self._kept: dict[Call, Kept] = {}

    def _take_out(self, going: list[Member]) -> None:
        """Leaves these lanes in the stack, and gives all of them their numbers."""
        for place, member in enumerate(self._members):
            member.numbers = self._stack.lane(place)
        if going:
            self._use(going)

    def _start(self) -> None:
        """Measures the initial weights of lanes that begin."""
        if all(member.progress.epoch for member in self._members):
            return
        stack = self._stack
        own = self._measures.own_losses(stack.arrays, stack.buffers)
        validated = self._measures.validated(stack.arrays, stack.buffers)
        for member, *losses in zip(self._members, own, validated):
            if not member.progress.epoch:
                member.progress.training, member.progress.validation = losses

    def _advance(self) -> None:
        """Trains an epoch of every lane, and measures the weights after it."""
        stack = self._stack
        epochs = [member.progress.epoch for member in self._members]
        rates = [rate(params, epoch) for params, epoch in zip(self._params, epochs)]
        before = [epoch * self.steps for epoch in epochs]
        learn = (self._eagerly if self._form.programs is None else self._compiled)(rates, before)
        orders = self._orders()
        taken = []
        for step, rows in enumerate(torch.split(orders, self._form.batch, dim=1)):
            self._heartbeat()
            taken.append(learn(rows, step))
        validated = self._measures.validated(stack.arrays, stack.buffers)
        by_lane = torch.stack(taken, dim=1).tolist()
        best = [
            place
            for place, member in enumerate(self._members)
            if member.progress.add(by_lane[place], validated[place])
        ]
        with torch.no_grad():
            stack.keep_best(best)

    def _orders(self) -> Tensor:
        """The order of each lane's rows, `(L, n)`; lanes that only fill have the first row."""
        count = len(self._form.lesson.x)
        orders = torch.zeros(self._stack.padded, count, dtype=torch.int64)
        for row, member in zip(orders, self._members):
            torch.randperm(count, generator=member.order, out=row)
        return orders

    def _eagerly(self, rates: Sequence[float], before: Sequence[int]) -> Learn:
        """Learns from a batch operation by operation; rates are those of the epoch."""
        stack, form = self._stack, self._form
        updates = Updates(self._params, rates, before)

        def learn(rows: Tensor, step: int) -> Tensor:
            x, y = self._batch(rows)
            factors = self._factors(x.shape[1], step)
            with user_code(form.lesson.words):
                taken = form.network.step(stack.arrays, stack.buffers, x, y, factors)
            stack.buffers = taken.buffers
            with torch.no_grad():
                updates.step(stack.learn(taken.gradients), step)
            return taken.losses

        return learn

    def _compiled(self, rates: Sequence[float], before: Sequence[int]) -> Learn:
        """The same as one program; lanes that only fill learn as the first does."""
        stack, form = self._stack, self._form
        assert form.programs is not None
        programs, filling = form.programs, stack.padded - len(self._members)
        coefficients = Coefficients(
            [member.params for member in self._filled],
            [*rates, *[rates[0]] * filling],
            [*before, *[before[0]] * filling],
        )

        def learn(rows: Tensor, step: int) -> Tensor:
            x, y = self._batch(rows)
            factors = self._factors(x.shape[1], step)
            own = coefficients.of_step(step)
            return programs.learn(form.network, form.plan, stack, (x, y), factors, own)

        return learn

    def _batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The inputs and targets of each lane, `(L, B, ...)`."""
        lesson = self._form.lesson
        return _gathered(lesson.x, rows), _gathered(lesson.y, rows)

    def _factors(self, size: int, step: int) -> dict[int, Tensor]:
        """The factors of each call of dropout."""
        calls = self._calls[size]
        if not calls:
            return {}
        steps = [member.progress.epoch * self.steps + step for member in self._filled]
        each = np.array([one % 2**32 for one in steps], np.uint32)
        found = {}
        for call in calls:
            if call not in self._kept:
                self._kept[call] = kept_at([call.of_lane(m.rates) for m in self._filled])
            keys = keys_of(self._seeds, each, call.place)
            found[call.place] = self._dropout.factors(keys, self._kept[call], call.shape)
        return found

    def _settled(self, size: int) -> list[Call]:
        """The calls of dropout for batches of so many rows."""
        weights, buffers = (
            {name: tensor[0] for name, tensor in held.items()}
            for held in (self._stack.arrays, self._stack.buffers)
        )
        lesson = self._form.lesson
        with user_code(lesson.words):
            return self._form.network.settle(weights, buffers, lesson.x[:size], lesson.y[:size])


def _goes_on(member: Member, until: int | None) -> bool:
    progress = member.progress
    ends = progress.failed or member.finished
    return not ends and (until is None or progress.epoch < until)


def _gathered(held: Tensor, rows: Tensor) -> Tensor:
    """The rows of each lane, `(L, B, ...)`."""
    return held.index_select(0, rows.reshape(-1)).view(*rows.shape, *held.shape[1:])
