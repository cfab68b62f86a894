"""A training function of the user's own as a subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xortune.engines.engine import EngineChoice
from xortune.problems.function.problem import FunctionProblem
from xortune.settings import RunOptions, StudySettings
from xortune.space import SearchSpace
from xortune.spec import ProblemSpec
from xortune.studies.problems.subject import OneEngine, SpaceSource
from xortune.trial import Params, Weights

if TYPE_CHECKING:
    from xortune.problems.function.code import Code

KIND = "function"


class FunctionSubject:
    """See `Subject`."""

    default_space: str | None = None
    notes: tuple[str, ...] = ()

    def __init__(self, code: Code, source: SpaceSource | None) -> None:
        self._code = code
        self.problem = FunctionProblem(code, source)
        self.recorded: Mapping[str, Any] = {"kind": KIND, **self.problem.recorded}

    def space(self, source: SpaceSource | None, spec: ProblemSpec) -> SearchSpace:
        return self.problem.space(spec)

    def choice(self, wanted: str, settings: StudySettings, options: RunOptions) -> EngineChoice:
        from xortune.engines.function.engine import FunctionEngine

        engine = FunctionEngine(
            self._code, settings.spec, settings.study_seed, options.trial_timeout, options.verbose
        )
        return OneEngine(engine)

    def tested(self, params: Params, weights: Weights) -> Mapping[str, float] | None:
        return None
