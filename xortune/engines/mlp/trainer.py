"""Trains a pack of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from xortune.engines.mlp.block import Block
from xortune.engines.mlp.native.library import CFunctions
from xortune.engines.mlp.packs import BlockTrainer
from xortune.engines.mlp.training import Training
from xortune.engines.reference_rows import is_reference, reference_fold
from xortune.problems.table.rows import Fold
from xortune.spec import ProblemSpec


class MlpTrainer(BlockTrainer):
    """See `BlockTrainer`: C draws the initial weights, and measures all scores.

    Args:
        fold: the rows of a lane that names none.
        folds: those among which `Lane.fold` chooses.
        spec: the table's, with the loss and the objectives of the study.
        functions: those of C.
    """

    def __init__(
        self, fold: Fold, folds: Sequence[Fold], spec: ProblemSpec, functions: CFunctions
    ) -> None:
        super().__init__(spec, functions)
        self._fold = fold
        self._folds = tuple(folds)
        self._reference = reference_fold(fold.target)

    def _rows(self, training: Training) -> Fold:
        if is_reference(training.params):
            return self._reference
        fold = training.lane.fold
        return self._fold if fold is None else self._folds[fold]

    def _score(
        self, heartbeat: Callable[[], None], block: Block, trainings: Mapping[int, Training]
    ) -> None:
        places = [*trainings]
        found = block.scored(places, heartbeat)
        rows = [*zip(*found.values())]
        for place, weights in zip(places, block.best(places)):
            trainings[place].found = dict(zip(found, rows[place])), weights
