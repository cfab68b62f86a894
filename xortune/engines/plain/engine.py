"""The plain engine as the driver makes it; PyTorch is imported where it is opened."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from xortune.engines.devices import require_cpu
from xortune.engines.engine import Pace, Trainer
from xortune.engines.plain.names import LIBRARIES, PLAIN
from xortune.engines.table_engine import TableEngine

# Seconds on one core, measured: a step of any batch, the update of a weight in it, the measurements
# after an epoch, and a multiplication with an addition, of which a row takes three for each weight.
_STEP_S = 2.8e-4
_UPDATE_S = 2e-9
_EPOCH_S = 2e-4
_MULTIPLY_S = 4e-11
# The seconds that a pack takes at the defaults, and the most trials in one.
_PACK_S = 5.0
_MOST = 64


class PlainEngine(TableEngine):
    """It trains one trial after the other; see `TableEngine`."""

    name = PLAIN
    generation = 10

    def pace(self, device: str) -> Pace:
        """The speed of typical trials."""
        typical = self._typical or (self.spec.assignment({}),)
        trials: list[dict[str, Any]] = [dict(params) for params in typical]
        epochs = sum(params["epochs"] for params in trials)
        seconds = sum(self._epoch_s(params) * params["epochs"] for params in trials)
        largest = max(1, min(_MOST, int(_PACK_S * len(trials) / seconds)))
        slowest_s = max(self._epoch_s({**params, "batch_size": 1}) for params in trials)
        return Pace(epochs / seconds, least_lanes=1, slowest_s=slowest_s, largest=largest)

    def _epoch_s(self, params: Mapping[str, Any]) -> float:
        """The seconds of an epoch of a trial."""
        from xortune.problems.table.weights import count_weights

        training, validation, target = self._rows
        rows = len(training.x)
        weights = count_weights(training.x.shape[1], target.outputs, params)
        steps = math.ceil(rows / params["batch_size"])
        multiplied = weights * (3 * rows + len(validation.x))
        step_s = _STEP_S + weights * _UPDATE_S
        return float(_EPOCH_S + steps * step_s + multiplied * _MULTIPLY_S)

    @classmethod
    def libraries(cls, device: str) -> tuple[str, ...]:
        return LIBRARIES

    def open(self, device: str) -> Trainer:
        require_cpu(device, "tables")
        from xortune.engines.plain.table import Lesson, TableLearners
        from xortune.engines.plain.trainer import PlainTrainer

        assert self.spec.loss is not None
        lesson = Lesson(*self._rows, self.spec.loss)
        return PlainTrainer(self.spec, TableLearners(lesson, self._folds))
