"""Looks at a module before a search: whether it can be trained, and how."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from xortune.engines.module_size import ModuleSize
from xortune.engines.plain.module import ModuleLearner, metrics_of, own_generators, seeded_module
from xortune.engines.reference_modules import TRAINER_NAMES
from xortune.engines.stacked.agreement import gradient_difference
from xortune.engines.stacked.draws import Draws, others_drawn
from xortune.engines.stacked.failed_layer import failed_layer
from xortune.engines.stacked.last_layer import doubled_link
from xortune.engines.stacked.neighbours import padding_needed
from xortune.engines.stacked.network import SLOW
from xortune.engines.stacked.operations import Work
from xortune.engines.stacked.padding import PADDINGS, Padding
from xortune.engines.stacked.soundness import (
    copied,
    hint_of_types,
    refuse_functions,
    refuse_memory,
    refuse_short_batch,
    refuse_targets,
    refuse_tensors,
    refuse_test,
    unchanged_rows,
)
from xortune.engines.stacked.tails import Tails
from xortune.engines.user_code import UserError
from xortune.plain_numbers import brief
from xortune.problems.module.lesson import ModuleLesson

# Of the rows to learn from, the first that it is looked at with; at least a batch.
_ROWS = 1024
# The largest difference of a gradient from that of the plain loop, relative to its largest number.
_AGREES = 1e-5
# Floating-point operations of a step up to which stacking pays; and with convolutions over images,
# which PyTorch stacks less well.
_MOST_FLOPS = 30e6
_MOST_FLOPS_OF_IMAGES = 20e6
_RETURNS = "the model returns"


@dataclass(frozen=True)
class Fitness:
    """What was found of a module at some points of its space.

    Attributes:
        faults: why it cannot be searched, in words for the user; empty if it can.
        alone: why its lanes cannot be stacked, or depend on each other; empty if they can.
        padding: that its lanes need in a stack.
        size: how much a trial computes, at the point where that is most.
        step_flops: floating-point operations of a step there.
        convolves: whether it has convolutions over images.
        points: that were looked at.
        prints: whether the user's code prints where nobody sees it.
        doubled: what a last layer does that the loss does again, in words; empty for nothing.
    """

    faults: tuple[str, ...]
    alone: str
    padding: Padding
    size: ModuleSize
    step_flops: float
    convolves: bool
    points: int
    prints: bool = False
    doubled: str = ""

    @property
    def too_large(self) -> str:
        """Why a pack would not be faster, though lanes can be stacked; empty if it is."""
        what = " with convolutions over images" if self.convolves else ""
        most = _most_flops(self.convolves)
        if self.step_flops <= most:
            return ""
        return (
            f"a step{what} has {self.step_flops / 1e6:,.0f} million operations, and stacking pays "
            f"up to {most / 1e6:,.0f}"
        )


def looked_at(
    lesson: ModuleLesson,
    points: Iterable[Mapping[str, Any]],
    heartbeat: Callable[[], None] = lambda: None,
) -> Fitness:
    """Looks at a module: the same lesson and points give the same answer on one kind of CPU.

    Args:
        lesson: of the problem.
        points: assignments of all parameters, such as the smallest, the largest and a random one.
        heartbeat: called at intervals.
    """
    found = _Found(lesson, heartbeat)
    with own_generators(shown=lesson.shown) as prints:
        for params in points:
            found.look(dict(params))
    return replace(found.fitness, prints=prints.found)


@dataclass
class _Found:
    """What has been found so far."""

    lesson: ModuleLesson
    heartbeat: Callable[[], None]
    faults: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    alone: str = ""
    padding: Padding = PADDINGS[0]
    tails: bool = False  # whether lanes must fill whole vectors
    rows_flops: list[float] = field(default_factory=list)  # of a row, at each point
    step_flops: float = 0.0
    calls: int = 1
    weights: int = 1
    convolves: bool = False
    points: int = 0
    doubled: set[str] = field(default_factory=set)

    def look(self, params: dict[str, Any]) -> None:
        """Looks at a point."""
        self.points += 1
        self.heartbeat()
        rows = max(_ROWS, params["batch_size"])
        lesson = replace(self.lesson, x=self.lesson.x[:rows], y=self.lesson.y[:rows])
        try:
            with unchanged_rows(self.lesson):
                self._look_at_plain(lesson, params)
            if not self.alone:
                self.alone = self._why_alone(lesson, params)
        except UserError as error:
            place = failed_layer(error, lesson)
            self._add(f"{error}{place}{hint_of_types(str(error), lesson)}", params)

    def _add(self, fault: str, params: Mapping[str, Any]) -> None:
        """Adds a fault, with the point where it was first found; once, whatever its numbers."""
        if _alike(fault) not in self.known:
            self.known.add(_alike(fault))
            own = [f"{k}={brief(v)}" for k, v in params.items() if k not in TRAINER_NAMES]
            self.faults.append(f"{fault} (at {', '.join(own)})" if own else fault)

    def _look_at_plain(self, lesson: ModuleLesson, params: dict[str, Any]) -> None:
        """Builds it twice, measures it, and trains a step; raises UserError for a fault."""
        module, again = (seeded_module(lesson, params) for _ in range(2))
        refuse_tensors(module, again)
        if _bits(module) != _bits(again):
            raise UserError(
                "the model has other weights when it is made again with the same seed: draw them "
                "from PyTorch's global generator alone"
            )
        self.convolves |= any(isinstance(part, (nn.Conv2d, nn.Conv3d)) for part in module.modules())
        learner = ModuleLearner(params, lesson, self.heartbeat)
        self._measure(learner, lesson, params)
        batch, buffers = next(learner.order.epoch())[0], copied(learner.buffers)
        work, tails = Work(), Tails()
        with others_drawn() as drawn, work:
            learner.learn(batch, 0)
        if drawn:
            raise UserError(
                f"the model draws from {' and '.join(drawn)} in forward: use PyTorch's generator"
            )
        refuse_memory(lesson, params, self.heartbeat, learner, buffers)
        with tails:
            learner.learn(batch, 1)
            learner.validated()
        refuse_short_batch(learner, len(self.lesson.x), params["batch_size"])
        # Their kernels take the channels of all lanes as those of one.
        norms = any(isinstance(part, _BatchNorm) for part in module.modules())
        self.tails = self.tails or norms or bool(tails.found)
        flops = float(work.flops)
        self.rows_flops.append(flops / len(batch[0]))
        self.step_flops = max(self.step_flops, flops)
        self.calls = max(self.calls, work.calls)
        self.weights = max(self.weights, learner.weights.numel())

    def _measure(
        self, learner: ModuleLearner, lesson: ModuleLesson, params: Mapping[str, Any]
    ) -> None:
        """Measures a model; raises UserError for a fault of its losses and metrics."""
        outputs = learner.outputs(lesson.x_validation)
        refuse_targets(self.lesson, params, outputs)
        self.doubled.add(doubled_link(learner.module, lesson, params, outputs))
        refuse_functions(lesson, params, outputs)
        scores = {"loss": learner.own_loss(), lesson.loss: learner.validated()}
        for name, value in {**scores, **metrics_of(lesson, outputs)}.items():
            if not math.isfinite(value):
                raise UserError(f"{name} is {value} for a model that has not been trained")
        refuse_test(lesson, learner, _ROWS)

    def _why_alone(self, lesson: ModuleLesson, params: dict[str, Any]) -> str:
        """Why lanes at this point cannot be stacked; empty if they can. Raises the padding."""
        drawn = _drawn(lesson, params, self.heartbeat)
        if drawn:
            return f"forward draws random numbers ({', '.join(drawn)})"
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                difference = gradient_difference(lesson, params, self.heartbeat)
        except Exception as error:  # Whatever vmap makes of the user's code.
            return _reason(lesson, params, error)
        slow = [str(one.message) for one in said if SLOW in str(one.message)]
        if slow:
            return _reason(lesson, params, RuntimeError(slow[0]))
        if not difference <= _AGREES:
            return f"its gradient in a stack differs from that of one by {difference:.1g}"
        padding: Padding | None = PADDINGS[-1]
        # A larger one is stacked only by request, and trying would take long.
        if self.step_flops <= _most_flops(self.convolves):
            try:
                padding = padding_needed(lesson, params, self.heartbeat)
            except UserError as error:
                return _reason(lesson, params, error)
        if padding is None:
            return "its numbers in a stack depend on its neighbours"
        if self.tails:
            padding = PADDINGS[-1]
        self.padding = max(self.padding, padding, key=PADDINGS.index)
        return ""

    @property
    def fitness(self) -> Fitness:
        lesson = self.lesson
        rows = len(lesson.x), len(lesson.x_validation)
        most = max(self.rows_flops, default=0.0)
        typical = fmean(self.rows_flops) / most if most else 1.0
        size = ModuleSize(most, self.calls, *rows, self.weights, self.convolves, typical)
        # Where it returns something else at one point, what fails at others follows from that.
        faults = [fault for fault in self.faults if fault.startswith(_RETURNS)] or self.faults
        doubled = self.doubled.pop() if len(self.doubled) == 1 else ""
        return Fitness(
            tuple(faults), self.alone, self.padding, size, self.step_flops, self.convolves,
            self.points, doubled=doubled,
        )  # fmt: skip


def _most_flops(convolves: bool) -> float:
    return _MOST_FLOPS_OF_IMAGES if convolves else _MOST_FLOPS


def _alike(fault: str) -> str:
    """A fault without its numbers, which differ between points."""
    return re.sub(r"\d[\d.,e+-]*", "#", fault)


def _bits(module: nn.Module) -> list[bytes]:
    tensors = module.state_dict().values()
    return [tensor.detach().numpy().tobytes() for tensor in tensors if isinstance(tensor, Tensor)]


def _drawn(
    lesson: ModuleLesson, params: dict[str, Any], heartbeat: Callable[[], None]
) -> Sequence[str]:
    """What a step of training draws apart from dropout that is replaced."""
    learner = ModuleLearner(params, lesson, heartbeat)
    batch = next(learner.order.epoch())[0]
    draws = Draws()
    with draws:
        learner.learn(batch, 0)
    return draws.functions


def _reason(lesson: ModuleLesson, params: dict[str, Any], error: Exception) -> str:
    """Why a module cannot be stacked, in the user's words where they are known."""
    module = seeded_module(lesson, params)
    if any(isinstance(part, nn.LSTM) for part in module.modules()):
        return "nn.LSTM cannot be stacked (LSTMCell and GRU can)"
    text = " ".join(str(error).split())
    if slow := re.search(r"batching rule for aten::(\w+)", text):
        return f"PyTorch would only repeat {slow[1]}, lane by lane"
    if missing := re.search(r"Batching rule not implemented for aten::(\w+)", text):
        return f"PyTorch cannot stack {missing[1]}"
    if "data pointer" in text or "doesn't have storage" in text:
        return "forward leaves PyTorch, for instance for NumPy"
    if "random operation" in text:
        return "it draws random numbers in evaluation, too"
    if ".item()" in text or "control flow" in text:
        return "forward branches on a value, or calls .item()"
    return f"it cannot be stacked: {text[:150]}"
