"""A training function of the user's own as a subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xortune.engines.engine import EngineChoice
from xortune.engines.function.engine import FunctionEngine
from xortune.problems.function.problem import FunctionProblem, own_space
from xortune.problems.function.spec import notes_on
from xortune.settings import RunOptions, StudySettings
from xortune.space import SearchSpace, inferred_parameters, load_space
from xortune.spec import Parameter, ProblemSpec
from xortune.studies.problems.subject import OneEngine, SpaceSource
from xortune.trial import Params, Weights

if TYPE_CHECKING:
    from xortune.problems.function.code import Code


class FunctionSubject:
    """See `Subject`.

    Args:
        code: the function's.
        source: a search space; None for the problem's own.
        parameters: those of a recorded study; None infers them from the space.
    """

    default_space: str | None = None

    def __init__(
        self,
        code: Code,
        source: SpaceSource | None,
        parameters: Sequence[Parameter] | None = None,
    ) -> None:
        self._code = code
        self._source = own_space(code) if source is None else source
        if parameters is None:
            parameters = inferred_parameters(self._source)
        self.problem = FunctionProblem(code, parameters)
        self.recorded: Mapping[str, Any] = self.problem.recorded
        self.notes = self.problem.notes

    def space(self, source: SpaceSource | None, spec: ProblemSpec) -> SearchSpace:
        space = load_space(self._source, spec)
        notes = notes_on(space.parameters, spec.parameters)
        return replace(space, notes=(*space.notes, *notes))

    def choice(self, wanted: str, settings: StudySettings, options: RunOptions) -> EngineChoice:
        spec = self.problem.spec.aimed_as(settings.spec)
        engine = FunctionEngine(
            self._code, spec, settings.study_seed, options.trial_timeout, options.verbose
        )
        return OneEngine(engine)

    def tested(self, params: Params, weights: Weights) -> Mapping[str, float] | None:
        return None
