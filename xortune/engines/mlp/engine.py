"""The compiled engine of tables as the driver makes it; C is loaded where it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xortune.engines.devices import require_cpu
from xortune.engines.engine import Pace, Trainer
from xortune.engines.mlp.names import LIBRARIES, MLP
from xortune.engines.table_engine import TableEngine
from xortune.spec import ProblemSpec
from xortune.trial import Params

if TYPE_CHECKING:
    from xortune.problems.table.rows import Fold, Rows, Target

# The seconds of a trial in Python, measured.
_TRIAL_S = 4e-5


class MlpEngine(TableEngine):
    """It trains sixteen lanes at once, or one with its rows at once; see `TableEngine`.

    Args:
        rows: those of training and of validation, and the target.
        spec: the table's, with the loss and the objectives of the study.
        library: that of `built_library`.
        folds: as in `TableEngine`.
        typical: likewise.
    """

    name = MLP
    # Few, since a lane alone takes a fifth to a twentieth of a block's time.
    generation = 5

    def __init__(
        self,
        rows: tuple[Rows, Rows, Target],
        spec: ProblemSpec,
        library: bytes,
        folds: Sequence[Fold] = (),
        typical: Sequence[Params] = (),
    ) -> None:
        super().__init__(*rows, spec, folds, typical)
        self._library = library

    def pace(self, device: str) -> Pace:
        """The speed of typical trials, as many together as are given."""
        from xortune.engines.mlp.grouping import cost_of
        from xortune.engines.mlp.pace import FEWEST, pace_of
        from xortune.problems.table.rows import Fold

        typical = self._typical or (self.spec.assignment({}),) * FEWEST
        return pace_of(cost_of(Fold(*self._rows)), typical, _TRIAL_S)

    @classmethod
    def libraries(cls, device: str) -> tuple[str, ...]:
        return LIBRARIES

    def open(self, device: str) -> Trainer:
        require_cpu(device, "tables")
        from xortune.engines.mlp.checked import load_library
        from xortune.engines.mlp.trainer import MlpTrainer
        from xortune.problems.table.rows import Fold

        functions = load_library(self._library)
        return MlpTrainer(Fold(*self._rows), self._folds, self.spec, functions)
