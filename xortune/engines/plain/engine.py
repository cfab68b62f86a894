"""The plain engine as the driver makes it; PyTorch is imported where it is opened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from xortune.engines.engine import Pace, Trainer
from xortune.engines.plain.names import LIBRARIES, PLAIN
from xortune.engines.reference_rows import reference_trials
from xortune.errors import UsageError
from xortune.spec import ProblemSpec
from xortune.trial import Params
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.problems.table.rows import Fold, Rows, Target

# Seconds on one core, measured: a step of any batch, the update of a weight in it, the measurements
# after an epoch, and a multiplication with an addition, of which a row takes three for each weight.
_STEP_S = 2.8e-4
_UPDATE_S = 2e-9
_EPOCH_S = 2e-4
_MULTIPLY_S = 4e-11
# The seconds that a pack takes at the defaults, and the most trials in one.
_PACK_S = 5.0
_MOST = 64


class PlainEngine:
    """See `xortune.engines.engine.Engine`. It trains on CPUs, one trial after the other.

    Args:
        training: the rows that trials learn from.
        validation: those that they are compared on.
        target: what is learnt.
        spec: the table's, with the loss and the objectives of the study.
        folds: of the rows, among which `Lane.fold` chooses; `training` and the others are then
            those of the first.
        typical: trials of the search, by which the pace is estimated; otherwise by the defaults.
    """

    name = PLAIN
    bits: Literal["lane", "pack"] = "lane"
    generation = 10
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
        self._table = (training, validation, target, spec)
        self._folds = tuple(folds)
        self._typical = tuple(typical) or (spec.assignment({}),)
        self.spec = spec
        self.probe = spec.assignment({"epochs": 1})
        self.reference = reference_trials(spec)

    def pace(self, device: str) -> Pace:
        """The speed of typical trials."""
        trials: list[dict[str, Any]] = [dict(params) for params in self._typical]
        epochs = sum(params["epochs"] for params in trials)
        seconds = sum(self._epoch_s(params) * params["epochs"] for params in trials)
        largest = max(1, min(_MOST, int(_PACK_S * len(trials) / seconds)))
        slowest_s = max(self._epoch_s({**params, "batch_size": 1}) for params in trials)
        return Pace(epochs / seconds, least_lanes=1, slowest_s=slowest_s, largest=largest)

    def _epoch_s(self, params: Mapping[str, Any]) -> float:
        """The seconds of an epoch of a trial."""
        from xortune.problems.table.weights import layout_of

        training, validation, target, _ = self._table
        rows = len(training.x)
        layout = layout_of(training.x.shape[1], target.outputs, params)
        weights = sum(math.prod(shape) for _, shape in layout)
        steps = math.ceil(rows / params["batch_size"])
        multiplied = weights * (3 * rows + len(validation.x))
        step_s = _STEP_S + weights * _UPDATE_S
        return float(_EPOCH_S + steps * step_s + multiplied * _MULTIPLY_S)

    @classmethod
    def libraries(cls, device: str) -> tuple[str, ...]:
        return LIBRARIES

    def open(self, device: str) -> Trainer:
        if device != "cpu":
            raise UsageError(
                f"{option('device')} {device}: tables are trained on CPUs. "
                f"Use {option('device', 'cpu')}."
            )
        from xortune.engines.plain.trainer import PlainTrainer

        return PlainTrainer(*self._table, self._folds)
