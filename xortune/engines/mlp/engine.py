"""The compiled engine of tables as the driver makes it; C is loaded where it is opened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from xortune.engines.engine import Pace, Trainer
from xortune.engines.mlp.names import LIBRARIES, MLP
from xortune.engines.reference_rows import reference_trials
from xortune.errors import UsageError
from xortune.spec import ProblemSpec
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.problems.table.rows import Fold, Rows, Target

# Seconds on one core, measured: of a lane, a step and an epoch of any size, and a multiplication
# with an addition, of which a row takes three for each weight.
_STEP_S = 5e-7
_EPOCH_S = 1e-5
_MULTIPLY_S = 2.2e-11
# The lanes that are trained in the time of one.
_LANES = 16
_MOST = 1024


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
    """

    name = MLP
    bits: Literal["lane", "pack"] = "lane"
    generation = 64
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
    ) -> None:
        self._rows = (training, validation, target)
        self._folds = tuple(folds)
        self._library = library
        self.spec = spec
        self.probe = spec.assignment({"epochs": 1})
        self.reference = reference_trials(spec)

    def pace(self, device: str) -> Pace:
        """The speed of a trial with the default model and batches."""
        epoch_s, slowest_s = (_epoch_s(*self._rows, self.spec, rows) for rows in (None, 1))
        return Pace(1 / epoch_s, _LANES, slowest_s=_LANES * slowest_s, largest=_MOST)

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


def _epoch_s(
    training: Rows, validation: Rows, target: Target, spec: ProblemSpec, batch: int | None
) -> float:
    """The seconds of a lane's epoch with the default model; None for the default batches."""
    from xortune.problems.table.weights import layout_of

    defaults: dict[str, Any] = dict(spec.defaults)
    layout = layout_of(training.x.shape[1], target.outputs, defaults)
    weights = sum(math.prod(shape) for _, shape in layout)
    steps = math.ceil(len(training.x) / (batch or int(defaults["batch_size"])))
    multiplied = weights * (3 * len(training.x) + len(validation.x) + 10 * steps)
    return _EPOCH_S + steps * _STEP_S + multiplied * _MULTIPLY_S
