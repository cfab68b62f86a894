"""Engines of functions, and what of their outcomes is compared."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import xortune
from xortune.engines.function.engine import FunctionEngine
from xortune.problems.function.code import load_code
from xortune.problems.function.problem import FunctionProblem, own_space
from xortune.space import inferred_parameters
from xortune.spec import ProblemSpec
from xortune.trial import Outcome

TRAINED = Path(__file__).with_name("trained.py")


def engine_of(
    source: Any = TRAINED,
    include: Iterable[Path] = (),
    timeout: float | None = None,
    seed: int = 0,
    verbose: bool = False,
) -> tuple[FunctionEngine, ProblemSpec]:
    """The engine and the spec of a problem, or of its file."""
    code = load_code(source, tuple(include))
    spec = FunctionProblem(code, inferred_parameters(own_space(code))).spec
    return FunctionEngine(code, spec, seed, timeout, verbose), spec


def engine_for(function: Any, space: Any, **declared: Any) -> tuple[FunctionEngine, ProblemSpec]:
    """Likewise, of a function of this process."""
    return engine_of(xortune.Problem(function, space, **declared))


def answer(outcomes: Iterable[Outcome]) -> list[tuple[str | None, ...]]:
    """Outcomes without what may differ between two runs."""
    return [(o.state, repr(o.scores), repr(o.curve), o.error) for o in outcomes]
