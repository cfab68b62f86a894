"""The compiled engine of modules as the driver makes it; C is loaded where it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xortune.engines.devices import require_cpu
from xortune.engines.engine import Pace, Trainer
from xortune.engines.mlp.names import LIBRARIES_OF_MODULES, MLP
from xortune.engines.module_engine import ModuleEngine
from xortune.spec import ProblemSpec

if TYPE_CHECKING:
    from xortune.engines.mlp.grouping import Cost
    from xortune.problems.module.lesson import ModuleLesson

# The seconds of a trial in Python, measured: to make its module, and to measure it.
_TRIAL_S = 1e-3


class MlpModuleEngine(ModuleEngine):
    """It trains perceptrons, as `MlpEngine` does those of tables; see `ModuleEngine`.

    Args:
        load: loads the lesson, in the process that trains.
        spec: the module's, with the loss and the objectives of the study.
        cost: of the rows.
        typical: trials of the search by the names of a table's parameters, for the pace.
        library: that of `built_library`.
        folds: the parts of the rows that validate in turn; None for no folds.
    """

    name = MLP
    generation = 5

    def __init__(
        self,
        load: Callable[[], ModuleLesson],
        spec: ProblemSpec,
        cost: Cost,
        typical: Sequence[Mapping[str, Any]],
        library: bytes,
        folds: int | None = None,
    ) -> None:
        super().__init__(load, spec, folds)
        self._cost = cost
        self._typical = typical
        self._library = library

    def pace(self, device: str) -> Pace:
        """The speed of typical trials, as many together as are given."""
        from xortune.engines.mlp.pace import pace_of

        return pace_of(self._cost, self._typical, _TRIAL_S)

    @classmethod
    def libraries(cls, device: str) -> tuple[str, ...]:
        return LIBRARIES_OF_MODULES

    def open(self, device: str) -> Trainer:
        require_cpu(device, "modules")
        from xortune.engines.mlp.checked import load_library
        from xortune.engines.mlp.modules import ModuleTrainer
        from xortune.engines.plain.module import Lessons

        functions = load_library(self._library)
        return ModuleTrainer(Lessons(self._load(), self._folds), self.spec, functions)
