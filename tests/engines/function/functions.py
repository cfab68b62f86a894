"""Engines of functions, lanes of theirs, and what of their outcomes is compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xortune
from xortune.engines.engine import Trainer
from xortune.engines.function.engine import FunctionEngine
from xortune.problems.code.code import load_code
from xortune.problems.code.recorded import own_space
from xortune.problems.function.problem import FunctionProblem
from xortune.space import inferred_parameters
from xortune.spec import ProblemSpec
from xortune.trial import Lane, Outcome

TRAINED = Path(__file__).with_name("trained.py")


def engine_of(
    source: Any = TRAINED,
    include: Iterable[Path] = (),
    timeout: float | None = None,
    seed: int = 0,
    verbose: bool = False,
    folds: int | None = None,
) -> tuple[FunctionEngine, ProblemSpec]:
    """The engine and the spec of a problem, or of its file."""
    code = load_code(source, tuple(include))
    spec = FunctionProblem(code, inferred_parameters(own_space(code))).spec
    return FunctionEngine(code, spec, seed, timeout, verbose, folds), spec


def engine_for(function: Any, space: Any, **declared: Any) -> tuple[FunctionEngine, ProblemSpec]:
    """Likewise, of a function of this process."""
    return engine_of(xortune.Problem(function, space, **declared))


class VariedEngine(FunctionEngine):
    """Trains each lane with the seed, the fold and the limits that `varied` gives it."""

    def open(self, device: str) -> Trainer:
        return _Varied(super().open(device))


class _Varied:
    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def train(self, lanes: Sequence[Lane], *how: Any, **more: Any) -> list[Outcome]:
        return self._trainer.train([varied(lane) for lane in lanes], *how, **more)


def varied(lane: Lane) -> Lane:
    """A lane with a seed and a fold, and every third one with limits."""
    limits = ((3, 1.4), (60, 1.0)) if lane.number % 3 == 1 else ()
    seed = lane.number * 2654435761 % 2**32
    return lane._replace(seed=seed, fold=lane.number % 3, limits=limits)


def varied_engine() -> VariedEngine:
    code = load_code(TRAINED)
    return VariedEngine(code, engine_of()[1], study_seed=0, folds=3)


def answer(outcomes: Iterable[Outcome]) -> list[tuple[str | None, ...]]:
    """Outcomes without what may differ between two runs."""
    return [(o.state, repr(o.scores), repr(o.curve), o.error) for o in outcomes]
