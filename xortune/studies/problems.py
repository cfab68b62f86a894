"""The one place that names a problem and its engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xortune.engines.xor.names import ENGINES, NAMES, family
from xortune.problems.xor.spec import DATA_NAMES, SPEC
from xortune.settings import StudySettings, one_of

if TYPE_CHECKING:
    from xortune.engines.xor.choice import EngineChoice as EngineChoice
    from xortune.problems.problem import Problem

__all__ = [
    "DATA_NAMES",
    "DEFAULT_DATA",
    "ENGINES",
    "NAMES",
    "SPEC",
    "engine_choice",
    "family",
    "libraries",
    "problem_faults",
    "problem_of",
]

DEFAULT_DATA = DATA_NAMES[0]


def problem_of(settings: StudySettings) -> Problem:
    """The problem that a study searches."""
    from xortune.problems.xor.problem import made_with

    return made_with(settings.data)


def engine_choice(wanted: str, data: str) -> EngineChoice:
    """Chooses among the problem's engines, for one of its data sets."""
    from xortune.engines.xor.choice import EngineChoice

    return EngineChoice(wanted, data)


def libraries(recorded_name: str, device: str) -> tuple[str, ...]:
    """The packages whose version decides the bits of a recorded engine on a device."""
    from xortune.engines.xor.choice import libraries

    return libraries(recorded_name, device)


def problem_faults(data: Any, metric: Any, engine: Any) -> list[str]:
    """The faults of settings whose values depend on the problem; None stands for a default."""
    return [
        *(one_of("data", data, DATA_NAMES) if data is not None else []),
        *(one_of("metric", metric, SPEC.losses) if metric is not None else []),
        *one_of("engine", engine, ENGINES),
    ]
