"""Chooses the engine of a study of XOR: PyTorch's own kernels, or C that is compiled here."""

from __future__ import annotations

from functools import partial

from xortune.engines.compiled_choice import Candidates, CompiledChoice
from xortune.engines.xor.engines import CompiledEngine, EagerEngine
from xortune.engines.xor.names import family
from xortune.engines.xor.native import built_library
from xortune.problems.xor.spec import SPEC
from xortune.spec import ProblemSpec

_WANTED = {"auto": None, "compiled": True, "eager": False}


def libraries(recorded_name: str, device: str) -> tuple[str, ...]:
    """As `Engine.libraries`, for a recorded engine."""
    engine = CompiledEngine if family(recorded_name) == "compiled" else EagerEngine
    return engine.libraries(device)


def engine_choice(wanted: str, data: str, spec: ProblemSpec = SPEC) -> CompiledChoice:
    """The choice for the lab's data of a name; the spec is that of the engines."""
    candidates = Candidates(
        compiled=partial(CompiledEngine, data, spec=spec),
        build=built_library,
        other=EagerEngine(data, spec),
        other_named="PyTorch's own kernels",
        pace=CompiledEngine.pace("cpu"),
        generation=CompiledEngine.generation,
    )
    return CompiledChoice(candidates, _WANTED[wanted])
