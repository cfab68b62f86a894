"""A training function of the user's own as a subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xortune.engines.engine import EngineChoice
from xortune.engines.function.engine import FunctionEngine
from xortune.problems.function.problem import FunctionProblem, own_space
from xortune.settings import RunOptions, StudySettings
from xortune.space import SearchSpace, inferred_parameters, load_space
from xortune.spec import ProblemSpec
from xortune.studies.problems.subject import OneEngine, SpaceSource
from xortune.trial import Params, Weights

if TYPE_CHECKING:
    from xortune.problems.function.code import Code


class FunctionSubject:
    """See `Subject`.

    Args:
        code: the function's.
        source: the search space; None for the one that the code brings.
    """

    default_space: str | None = None

    def __init__(self, code: Code, source: SpaceSource | None) -> None:
        self._code = code
        parameters = inferred_parameters(own_space(code) if source is None else source)
        self.problem = FunctionProblem.of(
            code, parameters, source if isinstance(source, Mapping) else None
        )
        self.recorded: Mapping[str, Any] = self.problem.recorded
        self.notes = self.problem.notes

    def space(self, source: SpaceSource | None, spec: ProblemSpec) -> SearchSpace:
        return load_space(own_space(self._code) if source is None else source, spec)

    def choice(self, wanted: str, settings: StudySettings, options: RunOptions) -> EngineChoice:
        engine = FunctionEngine(
            self._code, settings.spec, settings.study_seed, options.trial_timeout, options.verbose
        )
        return OneEngine(engine)

    def tested(self, params: Params, weights: Weights) -> Mapping[str, float] | None:
        return None
