"""A training function of the user's own as a subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xortune.engines.engine import EngineChoice
from xortune.engines.function.engine import FunctionEngine
from xortune.errors import UsageError
from xortune.problems.code.recorded import own_space
from xortune.problems.function.problem import FunctionProblem
from xortune.problems.function.spec import folds_at_fault, notes_on, single_spec
from xortune.settings import RunOptions, StudySettings
from xortune.space import SearchSpace
from xortune.spec import ProblemSpec
from xortune.studies.problems.own_spaces import parameters_of, space_of
from xortune.studies.problems.subject import OneEngine, SpaceSource
from xortune.trial import Answers, Params, Weights

if TYPE_CHECKING:
    from xortune.problems.code.code import Code


class FunctionSubject:
    """See `Subject`.

    Args:
        code: the function's.
        source: a search space; None for the problem's own.
        study: the settings of a recorded study; None infers parameters from the space.
        folds: the parts of the rows that validate in turn; None for no folds.

    Raises:
        UsageError: lists all faults of names.
    """

    default_space: str | None = None

    def __init__(
        self,
        code: Code,
        source: SpaceSource | None,
        study: StudySettings | None = None,
        folds: int | None = None,
    ) -> None:
        self._code = code
        self._source = own_space(code) if source is None else source
        if study is None:
            self.problem = FunctionProblem(code, parameters_of(code, self._source))
        else:
            seed = study.problem.get("seed")
            self.problem = FunctionProblem(code, study.spec.parameters, seed)
        if faults := folds_at_fault(self.problem.spec, folds):
            raise UsageError("\n".join(faults))
        self.recorded: Mapping[str, Any] = self.problem.recorded
        self.notes = self.problem.notes

    def space(self, source: SpaceSource | None, spec: ProblemSpec) -> SearchSpace:
        space = space_of(self._code, self._source, spec)
        notes = notes_on(space.parameters, spec.parameters)
        return replace(space, notes=(*space.notes, *notes))

    def choice(self, wanted: str, settings: StudySettings, options: RunOptions) -> EngineChoice:
        is_extended = settings.replicates > 1 or settings.pruner != "none"
        # The recorded metrics, though by force another function may declare others.
        spec = single_spec(settings.spec, settings.problem.get("seed"), is_extended=is_extended)
        engine = FunctionEngine(
            self._code,
            spec,
            settings.study_seed,
            options.trial_timeout,
            options.verbose,
            settings.folds,
        )
        return OneEngine(engine)

    def tested(self, params: Params, weights: Weights) -> Mapping[str, float] | None:
        return None

    def test_answers(self, params: Params, weights: Weights) -> Answers | None:
        return None
