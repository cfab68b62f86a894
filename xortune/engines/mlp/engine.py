"""The compiled engine of tables as the driver makes it; C is loaded where it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from xortune.engines.engine import Pace, Trainer
from xortune.engines.mlp.names import LIBRARIES, MLP
from xortune.engines.reference_rows import reference_trials
from xortune.errors import UsageError
from xortune.spec import ProblemSpec
from xortune.trial import Params
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.problems.table.rows import Fold, Rows, Target

# The seconds of a trial in Python, measured.
_TRIAL_S = 4e-5
# The seconds that a pack takes at most, and its trials at least and at most.
_PACK_S = 10.0
_FEWEST, _MOST = 64, 1024


class MlpEngine:
    """See `xortune.engines.engine.Engine`. It trains on CPUs, sixteen lanes at once.

    Args:
        training: the rows that trials learn from.
        validation: those that they are compared on.
        target: what is learnt.
        spec: the table's, with the loss and the objectives of the study.
        library: that of `built_library`.
        folds: of the rows, among which `Lane.fold` chooses; `training` and the others are then
            those of the first.
        typical: trials of the search, by which the pace is estimated; otherwise by the defaults.
    """

    name = MLP
    bits: Literal["lane", "pack"] = "lane"
    # Few, since lanes that are few train alone, each in a twelfth of a block's time or less.
    generation = 5
    first_failures = 0
    pauses = True

    def __init__(
        self,
        training: Rows,
        validation: Rows,
        target: Target,
        spec: ProblemSpec,
        library: bytes,
        folds: Sequence[Fold] = (),
        typical: Sequence[Params] = (),
    ) -> None:
        self._rows = (training, validation, target)
        self._folds = tuple(folds)
        self._library = library
        self._typical = tuple(typical) or (spec.assignment({}),) * _FEWEST
        self.spec = spec
        self.probe = spec.assignment({"epochs": 1})
        self.reference = reference_trials(spec)

    def pace(self, device: str) -> Pace:
        """The speed of typical trials, as many together as are given."""
        from xortune.engines.mlp.grouping import cost_of, grouped, kind_of
        from xortune.engines.mlp.native.library import LANES
        from xortune.problems.table.rows import Fold

        cost = cost_of(Fold(*self._rows))
        trials: list[dict[str, Any]] = [dict(params) for params in self._typical]
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
        if device != "cpu":
            raise UsageError(
                f"{option('device')} {device}: tables are trained on CPUs. "
                f"Use {option('device', 'cpu')}."
            )
        from xortune.engines.mlp.checked import load_library
        from xortune.engines.mlp.trainer import MlpTrainer
        from xortune.problems.table.rows import Fold

        functions = load_library(self._library)
        return MlpTrainer(Fold(*self._rows), self._folds, self.spec, functions)
