"""Finds what padding lanes of a module need, so that none has other bits beside others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from xortune.engines.curve_points import Points
from xortune.engines.progress import Progress
from xortune.engines.stacked.bucket import Bucket
from xortune.engines.stacked.form import Form, Member, made, rates_of
from xortune.engines.stacked.padding import PADDINGS, Padding
from xortune.engines.stacked.stack import LaneNumbers
from xortune.problems.module.lesson import ModuleLesson
from xortune.problems.trainer_parameters import OPTIMIZERS

if TYPE_CHECKING:
    from xortune.engines.stacked.programs import Programs

_STEPS = 3  # of whole batches; a short one follows
_VALIDATION_ROWS = 40
_LR = 0.03  # Large enough to carry a change of the last bit on.
# Places of a lane in packs of some sizes.
_PACKS = ((1, 0), (2, 1), (7, 4), (65, 64))


def padding_needed(
    lesson: ModuleLesson,
    params: Mapping[str, Any],
    heartbeat: Callable[[], None],
    programs: Programs | None = None,
) -> Padding | None:
    """The cheapest padding with which a lane has the same bits in packs of several sizes.

    It is an observation on this kind of CPU, with a few steps of lanes at this point.

    Args:
        lesson: of the problem.
        params: the point.
        heartbeat: called at intervals.
        programs: that lanes run; None where they compute operation by operation.

    Returns:
        The padding; None if a lane depends on its neighbours with any.

    Raises:
        UserError: the user's code fails.
    """
    batch = min(params["batch_size"], len(lesson.x))
    short = _shortened(lesson, _STEPS * batch + max(1, batch // 3))
    lanes = _Lanes(short, {**params, "epochs": 1, "lr": _LR, "early_stopping": 0}, programs)
    for padding in PADDINGS:
        found = {lanes.bits(size, place, padding, heartbeat) for size, place in _PACKS}
        if len(found) == 1:
            return padding
    return None


class _Lanes:
    """Lanes of one structure, of which some are strangers to the first."""

    def __init__(
        self, lesson: ModuleLesson, params: Mapping[str, Any], programs: Programs | None
    ) -> None:
        # The first stranger has the optimizer of the lane: lanes are sorted by that, and nothing
        # else would move the lane from the first place of its stack.
        self._params = [
            {**params, "seed": seed, "optimizer": optimizer, "weight_decay": 0.01 * (seed % 3 == 2)}
            for seed, optimizer in enumerate(("adam", "adam", *OPTIMIZERS))
        ]
        self._form: Form | None = None
        self._numbers: list[LaneNumbers] = []
        for one in self._params:
            module, _ = made(lesson, one)
            self._rates = rates_of(module)
            if self._form is None:
                self._form = Form(module, lesson, one, programs)
            self._numbers.append(self._form.numbers(module))

    def bits(self, size: int, place: int, padding: Padding, heartbeat: Callable[[], None]) -> bytes:
        """All numbers of the first lane after an epoch, at a place of a pack of this size."""
        assert self._form is not None
        strangers = len(self._params) - 1
        chosen = [0 if at == place else 1 + at % strangers for at in range(size)]
        members = [self._member(at, one) for at, one in enumerate(chosen)]
        Bucket(self._form, members, padding, heartbeat).train(None)
        return _bits(members[place])

    def _member(self, place: int, one: int) -> Member:
        params, numbers = self._params[one], replace(self._numbers[one])
        order = torch.Generator(device="cpu").manual_seed(params["seed"])
        return Member(place, params, Points(1, 1), Progress(), numbers, order, self._rates, 0)


def _bits(member: Member) -> bytes:
    numbers, progress = member.numbers, member.progress
    rows = [numbers.weights, numbers.first, numbers.second, *numbers.buffers.values()]
    content = b"".join(row.numpy().tobytes() for row in rows)
    return content + repr((progress, member.points.curve(progress))).encode()


def _shortened(lesson: ModuleLesson, rows: int) -> ModuleLesson:
    held = slice(_VALIDATION_ROWS)
    return replace(
        lesson,
        x=lesson.x[:rows],
        y=lesson.y[:rows],
        x_validation=lesson.x_validation[held],
        y_validation=lesson.y_validation[held],
    )
