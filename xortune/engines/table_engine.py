"""What the engines of tables have in common: see `xortune.engines.engine.Engine`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from xortune.engines.reference_rows import reference_trials
from xortune.spec import ProblemSpec
from xortune.trial import Params

if TYPE_CHECKING:
    from xortune.problems.table.rows import Fold, Rows, Target


class TableEngine:
    """Trains on CPUs.

    Args:
        training: the rows that trials learn from.
        validation: those that they are compared on.
        target: what is learnt.
        spec: the table's, with the loss and the objectives of the study.
        folds: of the rows, among which `Lane.fold` chooses; `training` and the others are then
            those of the first.
        typical: trials of the search, by which the pace is estimated; otherwise by the defaults.
    """

    bits: Literal["lane", "pack"] = "lane"
    first_failures = 0
    pauses = True

    def __init__(
        self,
        training: Rows,
        validation: Rows,
        target: Target,
        spec: ProblemSpec,
        folds: Sequence[Fold] = (),
        typical: Sequence[Params] = (),
    ) -> None:
        self._rows = (training, validation, target)
        self._folds = tuple(folds)
        self._typical = tuple(typical)
        self.spec = spec
        self.probe = spec.assignment({"epochs": 1})
        self.reference = reference_trials(spec)
