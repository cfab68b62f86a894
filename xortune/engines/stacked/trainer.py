"""Trains a pack of a module: in buckets, each of which is a stack of lanes of one form."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from xortune.engines.curve_points import Points, fault_of
from xortune.engines.plain.module import Lessons, ModuleLearner, metrics_of, own_generators
from xortune.engines.progress import Progress
from xortune.engines.reference_rows import is_reference
from xortune.engines.stacked.bucket import Bucket
from xortune.engines.stacked.form import Form, Member, made, rates_of
from xortune.engines.stacked.measures import Measures
from xortune.engines.stacked.padding import Padding
from xortune.engines.stacked.stack import Stack
from xortune.engines.user_code import UserError
from xortune.problems.module.lesson import ModuleLesson
from xortune.spec import ProblemSpec
from xortune.trial import NO_CURVE, Lane, Outcome

if TYPE_CHECKING:
    from xortune.engines.stacked.programs import Programs

_Key = tuple[Hashable, int | None, bool]


class StackedTrainer:
    """See `xortune.engines.engine.Trainer`.

    A trial's outcome has the same bits in any pack and wherever its training pauses, except for
    `duration_s`, which is its share of the pack's time by the epochs that it trained.

    Args:
        spec: with the loss and the objectives of the study.
        lessons: what trials learn from.
        padding: that lanes of this module need.
        compiles: whether lanes run compiled programs.
    """

    def __init__(
        self, spec: ProblemSpec, lessons: Lessons, padding: Padding, *, compiles: bool = False
    ) -> None:
        self._spec = spec
        self._lessons = lessons
        self._padding = padding
        # By what lanes have alike; a program is compiled once in a process.
        self._programs: dict[Hashable, Programs] | None = {} if compiles else None

    def train(
        self,
        lanes: Sequence[Lane],
        log_every: int | None,
        heartbeat: Callable[[], None] = lambda: None,
        until: int | None = None,
    ) -> list[Outcome]:
        started = time.perf_counter()
        with own_generators(shown=self._lessons.shown):
            pack = _Pack(self._spec, self._lessons, self._padding, self._programs, heartbeat)
            for place, lane in enumerate(lanes):
                heartbeat()
                pack.add(place, lane, log_every)
            pack.train(until)
        seconds = time.perf_counter() - started
        worker = f"{socket.gethostname()}:{os.getpid()}"
        total = sum(pack.shares.values())
        return [
            replace(
                pack.outcomes[place],
                duration_s=seconds * pack.shares[place] / total,
                worker=worker,
            )
            for place in range(len(lanes))
        ]


class _Pack:
    """A pack in training.

    Attributes:
        outcomes: of lanes that are through, by their place in the pack.
        shares: of the time, likewise.
    """

    def __init__(
        self,
        spec: ProblemSpec,
        lessons: Lessons,
        padding: Padding,
        programs: dict[Hashable, Programs] | None,
        heartbeat: Callable[[], None],
    ) -> None:
        self._spec = spec
        self._lessons = lessons
        self._padding = padding
        self._programs = programs
        self._heartbeat = heartbeat
        self._buckets: dict[_Key, tuple[Form, list[Member]]] = {}
        self.outcomes: dict[int, Outcome] = {}
        self.shares: dict[int, int] = {}

    def add(self, place: int, lane: Lane, log_every: int | None) -> None:
        """Puts a lane into its bucket."""
        params: dict[str, Any] = dict(lane.params)
        state = lane.paused
        self.shares[place] = 1
        lesson = self._lessons.of(params, lane.fold)
        try:
            module, kind = made(lesson, params)
            rates = rates_of(module)
            key = (kind, lane.fold, is_reference(params))
            if key not in self._buckets:
                programs = self._programs_of(kind.structure, lesson)
                self._buckets[key] = Form(module, lesson, params, programs), []
        except UserError as error:
            self.outcomes[place] = Outcome("FAIL", error=str(error))
            return
        form, members = self._buckets[key]
        numbers = form.numbers(module)
        order = torch.Generator(device="cpu").manual_seed(params["seed"])
        progress = Progress()
        if state is not None:
            progress = form.resume(numbers, params, state)
            for _ in range(progress.epoch):
                torch.randperm(len(lesson.x), generator=order)
        points = Points(log_every, params["epochs"], NO_CURVE if state is None else state.curve)
        member = Member(place, params, points, progress, numbers, order, rates, progress.epoch)
        members.append(member)

    def _programs_of(self, structure: Hashable, lesson: ModuleLesson) -> Programs | None:
        if self._programs is None:
            return None
        from xortune.engines.stacked.programs import Programs  # It loads PyTorch's compiler.

        return self._programs.setdefault(structure, Programs(lesson.words))

    def train(self, until: int | None) -> None:
        """Trains all buckets, one after the other."""
        for form, every in self._buckets.values():
            for members in form.stacks(every, self._padding):
                self._train(form, members, until)

    def _train(self, form: Form, members: Sequence[Member], until: int | None) -> None:
        try:
            bucket = Bucket(form, members, self._padding, self._heartbeat)
            bucket.train(until)
            self._conclude(form, members, bucket.steps)
        except UserError as error:
            for member in members:
                found = _alone(form.lesson, member.params, error, self._heartbeat)
                self.outcomes[member.place] = Outcome("FAIL", error=found)
        for member in members:
            self.shares[member.place] += member.progress.epoch - member.began

    def _conclude(self, form: Form, members: Sequence[Member], steps: int) -> None:
        """The outcomes of lanes that have failed, ended, or reached their pause."""
        measured = []
        for member in members:
            progress = member.progress
            if progress.failed:
                error = f"loss is not finite at epoch {progress.epoch}"
                curve = member.points.curve(progress)
                self.outcomes[member.place] = Outcome("FAIL", None, curve, error=error)
            else:
                measured.append(member)
        if measured:
            found = _best_scores(form, measured, self._padding, self._heartbeat)
            for member, scores in zip(measured, found):
                self.outcomes[member.place] = self._outcome(form, member, steps, scores)

    def _outcome(
        self, form: Form, member: Member, steps: int, found: dict[str, float] | UserError
    ) -> Outcome:
        progress, points = member.progress, member.points
        curve = points.curve(progress)
        if isinstance(found, UserError):
            return Outcome("FAIL", None, curve, error=str(found))
        ends = member.finished
        state = None if ends else form.paused(member, progress.epoch * steps, points.curve())
        fault = fault_of(self._spec, found, progress.best_epoch)
        if fault is not None and ends:
            return Outcome("FAIL", None, curve, error=fault)
        if fault is not None:  # Its best weights may be others when it ends.
            return Outcome("RUNNING", None, curve, paused=state)
        scores = self._spec.scores(found[name] for name in self._spec.metric_names)
        trained = scores, curve, form.weights(member.numbers)
        return Outcome("COMPLETE" if ends else "RUNNING", *trained, paused=state)


def _best_scores(
    form: Form, members: Sequence[Member], padding: Padding, heartbeat: Callable[[], None]
) -> list[dict[str, float] | UserError]:
    """The metrics of each lane's best weights; or why the user's functions have none."""
    padded = padding.padded(len(members))
    stack = Stack(form.plan, [member.numbers for member in members], padded)
    weights = form.plan.arrays(stack.best)
    measures = Measures(form, padding, heartbeat)
    own = measures.own_losses(weights, stack.best_buffers)
    found: list[dict[str, float] | UserError] = []
    with torch.no_grad():
        for part in measures.outputs(weights, stack.best_buffers, form.lesson.x_validation):
            for member, train_loss, outputs in zip(
                members[part.first :], own[part.first :], part.values
            ):
                progress = member.progress
                loss = progress.best if progress.best_epoch else progress.validation
                try:
                    metrics = metrics_of(form.lesson, outputs)
                except UserError as error:
                    found.append(error)
                    continue
                measured = {"train_loss": train_loss, form.lesson.loss: loss, **metrics}
                found.append({**measured, "best_epoch": float(progress.best_epoch)})
    return found


def _alone(
    lesson: ModuleLesson, params: Any, error: UserError, heartbeat: Callable[[], None]
) -> str:
    """What a lane fails with when its bucket does: words that do not depend on its neighbours."""
    try:
        learner = ModuleLearner(params, lesson, heartbeat)
        learner.own_loss()
        learner.validated()
        batches = next(learner.order.epoch())
        learner.learn(batches[0], 0)
    except UserError as own:
        return str(own)
    return f"the model cannot be stacked, though it can be trained alone: {error}"
