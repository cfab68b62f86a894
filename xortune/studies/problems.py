"""The problems that can be searched, and what trains them: nothing else knows which there are."""

from __future__ import annotations

from typing import Any

from xortune.engines.xor.choice import ENGINES, NAMES, EngineChoice, family, libraries
from xortune.problems.problem import Problem
from xortune.problems.xor.problem import made_with
from xortune.problems.xor.spec import DATA_NAMES, SPEC
from xortune.settings import StudySettings, one_of
from xortune.spec import ProblemSpec

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
    "spec_with",
]

DEFAULT_DATA = DATA_NAMES[0]


def problem_of(settings: StudySettings) -> Problem:
    """The problem that a study searches."""
    return made_with(settings.data)


def spec_with(metric: str | None) -> ProblemSpec:
    """The problem's spec, with a metric as its final loss; None leaves the default."""
    return SPEC if metric is None else SPEC.with_loss(metric)


def problem_faults(data: Any, metric: Any, engine: Any) -> list[str]:
    """What is wrong with the settings that the problem decides on; None stands for a default."""
    return [
        *(one_of("data", data, DATA_NAMES) if data is not None else []),
        *(one_of("metric", metric, SPEC.losses) if metric is not None else []),
        *one_of("engine", engine, ENGINES),
    ]
