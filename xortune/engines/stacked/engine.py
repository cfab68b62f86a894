"""The stacked engine as the driver makes it; PyTorch is imported where it is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from xortune.engines.devices import require_cpu
from xortune.engines.engine import Pace, Trainer
from xortune.engines.module_engine import ModuleEngine
from xortune.engines.module_size import ModuleSize
from xortune.engines.stacked.names import LIBRARIES, STACKED, STACKED_COMPILED
from xortune.spec import ProblemSpec

if TYPE_CHECKING:
    from typing_extensions import Self

    from xortune.engines.stacked.padding import Padding
    from xortune.problems.module.lesson import ModuleLesson

# How much faster lanes are as compiled programs, and the most seconds to compile all of a pack.
_COMPILED_GAIN = 2
_MOST_COMPILING_S = 600.0
# The most lanes of a pack, and the most weights of all of them.
LARGEST = 512
_MOST_WEIGHTS = 2**26


class StackedEngine(ModuleEngine):
    """It trains all lanes of a bucket at once; see `ModuleEngine`.

    Args:
        load: loads the lesson, in the process that trains.
        spec: the module's, with the loss and the objectives of the study.
        size: how much a trial computes.
        padding: that lanes of this module need for equal bits.
        folds: the parts of the rows that validate in turn; None for no folds.
        stacks: the lanes of each stack that a generation makes, for the pace; empty for full ones.
    """

    name = STACKED
    generation = 64
    _compiles = False

    def __init__(
        self,
        load: Callable[[], ModuleLesson],
        spec: ProblemSpec,
        size: ModuleSize,
        padding: Padding,
        folds: int | None = None,
        stacks: Sequence[int] = (),
    ) -> None:
        super().__init__(load, spec, folds)
        self._size = size
        self.padding = padding
        self._stacks = tuple(stacks)

    def padded(self, padding: Padding) -> Self:
        """The engine with another padding of its lanes."""
        other = copy(self)
        other.padding = padding
        return other

    def pace(self, device: str) -> Pace:
        """The speed of a trial with the default model and batches."""
        batch = self.spec.defaults["batch_size"]
        assert isinstance(batch, int)
        steps, flops = self._size.epoch(batch)
        costs, calls = self._size.stack_costs, self._size.calls
        lane_s = steps * calls * costs.lane_call + flops * costs.flop
        stack_s = steps * calls * costs.call
        largest = max(self.padding.least, min(LARGEST, _MOST_WEIGHTS // self._size.weights))
        least = max(self.padding.least, min(largest, round(stack_s / lane_s)))
        # Lanes that only fill a stack take as long as the others.
        taken = [stack_s + lane_s * self.padding.padded(lanes) for lanes in self._stacks]
        epoch_s = lane_s
        if taken:  # What a stack takes, whatever its lanes, is then in it.
            epoch_s = sum(taken) / sum(self._stacks)
            least = max(self.padding.least, min(least, sum(self._stacks)))
        rows, flops = self._size.longest
        slowest_s = rows * calls * (costs.call + costs.lane_call) + flops * costs.flop
        return Pace(1 / epoch_s, least, slowest_s=least * slowest_s, largest=largest)

    def as_compiled(self, padding: Padding) -> CompiledStackedEngine:
        """The engine whose lanes run compiled programs, for which they need a padding."""
        return CompiledStackedEngine(
            self._load, self.spec, self._size, padding, self._folds, self._stacks
        )

    @classmethod
    def libraries(cls, device: str) -> tuple[str, ...]:
        return LIBRARIES

    def open(self, device: str) -> Trainer:
        require_cpu(device, "modules")
        from xortune.engines.plain.module import Lessons
        from xortune.engines.stacked.trainer import StackedTrainer

        lessons = Lessons(self._load(), self._folds)
        return StackedTrainer(self.spec, lessons, self.padding, compiles=self._compiles)


class CompiledStackedEngine(StackedEngine):
    """The stacked engine with the step of all lanes as a program, which PyTorch compiles.

    Every process compiles a step once for each structure of the module, for any number of lanes.
    """

    name = STACKED_COMPILED
    _compiles = True

    def pace(self, device: str) -> Pace:
        pace = super().pace(device)
        return replace(
            pace, cost_per_s=_COMPILED_GAIN * pace.cost_per_s, prepares_s=_MOST_COMPILING_S
        )

    def open(self, device: str) -> Trainer:
        if device == "cpu":
            from xortune.engines.stacked.compiled_look import check_compiler

            check_compiler()
        return super().open(device)
