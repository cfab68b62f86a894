"""The compiled engine of tables as the driver makes it; C is loaded where it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from xortune.engines.engine import Pace, Trainer
from xortune.engines.mlp.names import LIBRARIES, MLP
from xortune.engines.table_engine import TableEngine, require_cpu
from xortune.spec import ProblemSpec
from xortune.trial import Params

if TYPE_CHECKING:
    from xortune.problems.table.rows import Fold, Rows, Target

# The seconds of a trial in Python, measured.
_TRIAL_S = 4e-5
# The seconds that a pack takes at most, and its trials at least and at most.
_PACK_S = 10.0
_FEWEST, _MOST = 64, 1024


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
        from xortune.engines.mlp.grouping import cost_of, grouped, kind_of
        from xortune.engines.mlp.native.library import LANES
        from xortune.problems.table.rows import Fold

        cost = cost_of(Fold(*self._rows))
        typical = self._typical or (self.spec.assignment({}),) * _FEWEST
        trials: list[dict[str, Any]] = [dict(params) for params in typical]
        epochs = fmean(params["epochs"] for params in trials)
        kinds = [kind_of(params, 1) for params in trials]
        _, seconds = grouped(kinds, cost)
        epoch_s = seconds / len(kinds) + _TRIAL_S / epochs
        largest = int(_PACK_S / (epoch_s * epochs)) // LANES * LANES
        return Pace(
            cost_per_s=1 / epoch_s,
            # One lane trains alone.
            least_lanes=max(1, round(fmean(cost.of_block([kind]) for kind in kinds) / epoch_s)),
            slowest_s=cost.of_block([kind._replace(batch=1) for kind in kinds]),
            largest=max(_FEWEST, min(largest, _MOST)),
        )

    @classmethod
    def libraries(cls, device: str) -> tuple[str, ...]:
        return LIBRARIES

    def open(self, device: str) -> Trainer:
        require_cpu(device)
        from xortune.engines.mlp.checked import load_library
        from xortune.engines.mlp.trainer import MlpTrainer
        from xortune.problems.table.rows import Fold

        functions = load_library(self._library)
        return MlpTrainer(Fold(*self._rows), self._folds, self.spec, functions)
