"""The plain engine as the driver makes it; PyTorch is imported where it is opened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from xortune.engines.engine import Pace, Trainer
from xortune.engines.plain.names import LIBRARIES, PLAIN
from xortune.engines.reference_rows import reference_trials
from xortune.errors import UsageError
from xortune.spec import ProblemSpec
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.problems.table.rows import Fold, Rows, Target

# Seconds on one core, measured: a step of any batch, the measurements after an epoch, and a
# multiplication with an addition, of which a row takes three for each weight.
_STEP_S = 2.8e-4
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
    ) -> None:
        self._table = (training, validation, target, spec)
        self._folds = tuple(folds)
        self.spec = spec
        self.probe = spec.assignment({"epochs": 1})
        self.reference = reference_trials(spec)

    def pace(self, device: str) -> Pace:
        """The speed of a trial with the default model and batches."""
        training, validation, target, spec = self._table
        epoch_s, slowest_s = (
            _epoch_s(training, validation, target, spec, rows) for rows in (None, 1)
        )
        trial_s = epoch_s * spec.cost_of(spec.defaults)
        largest = max(1, min(_MOST, int(_PACK_S / trial_s)))
        return Pace(1 / epoch_s, least_lanes=1, slowest_s=slowest_s, largest=largest)

    @classmethod
    def libraries(cls, device: str) -> tuple[str, ...]:
        return LIBRARIES

    def open(self, device: str) -> Trainer:
        if device != "cpu":
            raise UsageError(
                f"{option('device')} {device}: tables are trained on CPUs. "
                f"Use {option('device', 'cpu')}."
            )
        from xortune.engines.plain.table import Lesson, TableLearners
        from xortune.engines.plain.trainer import PlainTrainer

        training, validation, target, spec = self._table
        assert spec.loss is not None
        lesson = Lesson(training, validation, target, spec.loss)
        return PlainTrainer(spec, TableLearners(lesson, self._folds))


def _epoch_s(
    training: Rows, validation: Rows, target: Target, spec: ProblemSpec, batch: int | None
) -> float:
    """The seconds of an epoch with the default model; None for the default batches."""
    from xortune.problems.table.weights import layout_of

    defaults: dict[str, Any] = dict(spec.defaults)
    layout = layout_of(training.x.shape[1], target.outputs, defaults)
    weights = sum(math.prod(shape) for _, shape in layout)
    steps = math.ceil(len(training.x) / (batch or int(defaults["batch_size"])))
    multiplied = weights * (3 * len(training.x) + len(validation.x))
    return _EPOCH_S + steps * _STEP_S + multiplied * _MULTIPLY_S
