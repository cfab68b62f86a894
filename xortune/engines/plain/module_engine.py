"""The plain engine of modules as the driver makes it; PyTorch is imported where it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from xortune.engines.devices import require_cpu
from xortune.engines.engine import Pace, Trainer
from xortune.engines.module_engine import ModuleEngine
from xortune.engines.module_size import ModuleSize
from xortune.engines.plain.names import LIBRARIES, PLAIN
from xortune.spec import ProblemSpec

if TYPE_CHECKING:
    from xortune.problems.module.lesson import ModuleLesson

# The seconds that a pack takes at the defaults, and the most trials in one.
_PACK_S = 5.0
_MOST = 64


class PlainModuleEngine(ModuleEngine):
    """It trains one trial after the other; see `ModuleEngine`.

    Args:
        load: loads the lesson, in the process that trains.
        spec: the module's, with the loss and the objectives of the study.
        size: how much a trial computes.
        folds: the parts of the rows that validate in turn; None for no folds.
    """

    name = PLAIN
    generation = 10

    def __init__(
        self,
        load: Callable[[], ModuleLesson],
        spec: ProblemSpec,
        size: ModuleSize,
        folds: int | None = None,
    ) -> None:
        super().__init__(load, spec, folds)
        self._size = size

    def pace(self, device: str) -> Pace:
        """The speed of a trial with the default model and batches."""
        batch = self.spec.defaults["batch_size"]
        assert isinstance(batch, int)
        costs = self._size.loop_costs
        epoch_s, slowest_s = (
            steps * self._size.calls * costs.call + flops * costs.flop
            for steps, flops in (self._size.epoch(batch), self._size.longest)
        )
        trial_s = epoch_s * self.spec.cost_of(self.spec.defaults)
        largest = max(1, min(_MOST, int(_PACK_S / trial_s)))
        return Pace(1 / epoch_s, least_lanes=1, slowest_s=slowest_s, largest=largest)

    @classmethod
    def libraries(cls, device: str) -> tuple[str, ...]:
        return LIBRARIES

    def open(self, device: str) -> Trainer:
        require_cpu(device, "modules")
        from xortune.engines.plain.module import Lessons, ModuleLearner, own_generators
        from xortune.engines.plain.trainer import PlainTrainer

        lessons = Lessons(self._load(), self._folds)

        def learner(
            params: Mapping[str, Any], fold: int | None, heartbeat: Callable[[], None]
        ) -> ModuleLearner:
            return ModuleLearner(params, lessons.of(params, fold), heartbeat)

        return PlainTrainer(self.spec, learner, partial(own_generators, shown=lessons.shown))
