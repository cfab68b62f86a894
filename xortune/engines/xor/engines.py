"""The engines that train XOR: made by the driver, opened where they train."""

from __future__ import annotations

from typing import Literal

from xortune.engines.devices import usable_device
from xortune.engines.engine import Pace, Trainer
from xortune.engines.xor.names import COMPILED, EAGER
from xortune.problems.xor.spec import LOSS_FNS, SPEC
from xortune.spec import ProblemSpec
from xortune.trial import Params

# On a CPU the buffers of a block stay in its cache; a GPU takes all the lanes that it can get.
LARGEST = {"cpu": 4096, "cuda": 131_072}
# A GPU takes the same time for any fewer lanes.
_WORTH_LANES = {"cuda": 16_384}
# Seconds for an epoch after which the lanes are measured.
_SLOWEST_S = 1e-4


def _reference_trial(i: int) -> Params:
    """A large rate carries a change of the last bit into the weights; some outputs saturate."""
    lr = (1.0, 3.0, 10.0, 30.0, 1000.0)[i % 5]
    return SPEC.params((lr, 60 - i, i * 2_654_435_761 % 2**32, LOSS_FNS[i % 3]))


class _Engine:
    """The common part of both engines; see `xortune.engines.engine.Engine`.

    Args:
        data: the name of the lab's data.
        spec: the lab's, with the loss and the objectives of the study.
    """

    name: str
    bits: Literal["lane", "pack"] = "lane"
    generation = 10
    probe = SPEC.assignment({"epochs": 1})
    reference = tuple(map(_reference_trial, range(16)))
    first_failures = 0
    pauses = True
    # Trial-epochs a second on one core, and the lanes below which an epoch takes no less.
    _cost_per_s: float
    _least_lanes: int

    def __init__(self, data: str, spec: ProblemSpec = SPEC) -> None:
        self.data = data
        self.spec = spec

    @classmethod
    def pace(cls, device: str) -> Pace:
        largest, worth = LARGEST[device], _WORTH_LANES.get(device)
        return Pace(cls._cost_per_s, cls._least_lanes, _SLOWEST_S, largest, worth)


class EagerEngine(_Engine):
    """Stacked tensors, trained by PyTorch's own kernels."""

    name = EAGER
    _cost_per_s = 2e7
    _least_lanes = 256

    @classmethod
    def libraries(cls, device: str) -> tuple[str, ...]:
        return ("torch",)

    def open(self, device: str) -> Trainer:
        usable_device(device)
        from xortune.engines.xor.eager import EagerKernels
        from xortune.engines.xor.pack import PackTrainer

        return PackTrainer(EagerKernels(self.data, device, LARGEST[device]))


class CompiledEngine(_Engine):
    """C on a CPU, the eager engine's code on a GPU; `library` is that of `built_library`."""

    name = COMPILED
    _cost_per_s = 1e8
    _least_lanes = 32

    def __init__(self, data: str, library: bytes, spec: ProblemSpec = SPEC) -> None:
        super().__init__(data, spec)
        self._library = library

    @classmethod
    def libraries(cls, device: str) -> tuple[str, ...]:
        return () if device == "cpu" else ("torch",)

    def open(self, device: str) -> Trainer:
        if device != "cpu":
            return EagerEngine(self.data, self.spec).open(device)
        from xortune.engines.xor.native import load_library
        from xortune.engines.xor.native.block import CompiledKernels
        from xortune.engines.xor.pack import PackTrainer

        return PackTrainer(CompiledKernels(self.data, load_library(self._library), LARGEST["cpu"]))
