"""The one place that names a problem and its engines."""

from __future__ import annotations

from typing import Any

from xortune.engines.xor.choice import ENGINES, NAMES, EngineChoice, family, libraries
from xortune.problems.problem import Problem
from xortune.problems.xor.problem import made_with
from xortune.problems.xor.spec import DATA_NAMES, SPEC
from xortune.settings import StudySettings, one_of

__all__ = [
    "DATA_NAMES",
    "DEFAULT_DATA",
    "ENGINES",
    "NAMES",
    "SPEC",
    "EngineChoice",
    "family",
    "libraries",
    "problem_faults",
    "problem_of",
]

DEFAULT_DATA = DATA_NAMES[0]


def problem_of(settings: StudySettings) -> Problem:
    """The problem that a study searches."""
    return made_with(settings.data)


def problem_faults(data: Any, metric: Any, engine: Any) -> list[str]:
    """The faults of settings whose values depend on the problem; None stands for a default."""
    return [
        *(one_of("data", data, DATA_NAMES) if data is not None else []),
        *(one_of("metric", metric, SPEC.losses) if metric is not None else []),
        *one_of("engine", engine, ENGINES),
    ]
