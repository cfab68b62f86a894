"""Trains a pack of modules that are perceptrons."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache, partial

import torch
from torch import nn

from xortune.engines.mlp.block import Block
from xortune.engines.mlp.lane import Floats
from xortune.engines.mlp.module_rows import fold_of, takes
from xortune.engines.mlp.native.library import CFunctions
from xortune.engines.mlp.packs import BlockTrainer
from xortune.engines.mlp.training import Training
from xortune.engines.plain.dropout import mixed
from xortune.engines.plain.module import (
    Lessons,
    evaluated,
    metrics_of,
    own_generators,
    rows_at_once,
    seeded_module,
)
from xortune.engines.reference_rows import is_reference
from xortune.engines.user_code import UserError, user_code
from xortune.problems.module.lesson import ModuleLesson
from xortune.problems.module.perceptron import Perceptron, Recogniser
from xortune.problems.module.weights import weights_of
from xortune.problems.table.rows import Fold
from xortune.spec import ProblemSpec
from xortune.trial import Lane, Weights

# By their seeds, trials of a study and of the reference pack are told apart.
_A_TRIAL, _OF_REFERENCE = {"seed": 0}, {"seed": 2**32}


class ModuleTraining(Training):
    """A lane whose weights are a module's.

    Attributes:
        lesson: of the lane.
        module: before its training, and later with its best weights.
        form: of the module.
    """

    lesson: ModuleLesson
    module: nn.Module
    form: Perceptron


class ModuleTrainer(BlockTrainer):
    """See `BlockTrainer`: the user's code makes modules, and measures their best weights.

    Args:
        lessons: what trials learn from.
        spec: the module's, with the loss and the objectives of the study.
        functions: those of C.
    """

    def __init__(self, lessons: Lessons, spec: ProblemSpec, functions: CFunctions) -> None:
        super().__init__(spec, functions)
        self._shown = lessons.shown
        # All are kept: lanes of the same rows are known by the same object.
        self._lesson = cache(partial(_lesson_of, lessons))
        # Rows of a fold may have other columns.
        self._recogniser = cache(lambda fold, short: Recogniser(self._lesson(fold, short).x))
        self._fold = cache(lambda fold, short, outputs: fold_of(self._lesson(fold, short), outputs))

    def _around(self) -> AbstractContextManager[object]:
        return own_generators(shown=self._shown)

    def _begun(
        self, lane: Lane, log_every: int | None, until: int | None, heartbeat: Callable[[], None]
    ) -> Training:
        heartbeat()
        started = time.perf_counter()
        training = ModuleTraining(lane, log_every, until)
        try:
            self._make(training)
        except UserError as error:
            training.error = str(error)
        training.spent_s = time.perf_counter() - started
        return training

    def _make(self, training: ModuleTraining) -> None:
        """Makes the module of a lane, and takes what C needs of it."""
        params = training.params
        which = training.lane.fold, is_reference(params)
        training.lesson = lesson = self._lesson(*which)
        training.module = seeded_module(lesson, params)
        form = self._recogniser(*which).form_of(training.module)
        if form is None or not takes(lesson, form.outputs, squeezed=form.squeezed):
            raise UserError(
                "the model is no perceptron, though it was one where it was looked at before the "
                "search: search with --engine stacked"
            )
        training.form = form
        training.initial = form.numbers(training.module)
        own = params.get("loss_fn", lesson.loss)
        training.params = {**params, **form.settings, "loss_fn": own}

    def _rows(self, training: Training) -> Fold:
        assert isinstance(training, ModuleTraining)
        fold, short = training.lane.fold, is_reference(training.params)
        return self._fold(fold, short, training.form.outputs)

    def _score(
        self, heartbeat: Callable[[], None], block: Block, trainings: Mapping[int, Training]
    ) -> None:
        places = [*trainings]
        losses = block.train_losses(places, heartbeat)
        for place, numbers in zip(places, block.best_numbers(places)):
            training = trainings[place]
            assert isinstance(training, ModuleTraining)
            try:
                training.found = _scored(training, losses[place], numbers, heartbeat)
            except UserError as error:
                training.error = str(error)


def _lesson_of(lessons: Lessons, fold: int | None, short: bool) -> ModuleLesson:
    return lessons.of(_OF_REFERENCE if short else _A_TRIAL, fold)


def _scored(
    training: ModuleTraining, train_loss: float, numbers: Floats, heartbeat: Callable[[], None]
) -> tuple[dict[str, float], Weights]:
    """The metrics of a lane's best weights, and these.

    The user's functions see what PyTorch makes of these weights alone, so that no neighbour changes
    a bit.

    Raises:
        UserError: a function fails, or does not return a number.
    """
    lesson, module, progress = training.lesson, training.module, training.progress
    training.form.put(module, numbers)
    loss = progress.best if progress.best_epoch else progress.validation
    found = {"train_loss": train_loss, lesson.loss: loss}
    if lesson.metrics:
        # As in the plain loop, whose functions may draw.
        torch.default_generator.manual_seed(mixed(mixed(training.params["seed"]) - 1))
        rows = rows_at_once(module, lesson)
        outputs = evaluated(module, lesson, lesson.x_validation, rows, heartbeat)
        found |= metrics_of(lesson, outputs)
    with user_code(lesson.words):
        return found, weights_of(module.state_dict())
