"""The lab's problem as a subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xortune.engines.engine import EngineChoice
from xortune.problems.xor.problem import made_with
from xortune.settings import RunOptions, StudySettings
from xortune.space import SearchSpace, load_space
from xortune.spec import ProblemSpec
from xortune.studies.problems.subject import SpaceSource
from xortune.trial import Answers, Params, Weights

_SPACE = "default"


class LabSubject:
    """See `Subject`; `data` is the name of one of the lab's data sets."""

    default_space: str | None = _SPACE
    recorded: Mapping[str, Any] = {}
    notes: tuple[str, ...] = ()

    def __init__(self, data: str) -> None:
        self.problem = made_with(data)

    def space(self, source: SpaceSource | None, spec: ProblemSpec) -> SearchSpace:
        return load_space(_SPACE if source is None else source, spec)

    def choice(self, wanted: str, settings: StudySettings, options: RunOptions) -> EngineChoice:
        from xortune.engines.xor.choice import engine_choice

        spec = self.problem.spec.aimed_as(settings.spec)
        return engine_choice(wanted, self.problem.data, spec)

    def tested(self, params: Params, weights: Weights) -> Mapping[str, float] | None:
        return None

    def test_answers(self, params: Params, weights: Weights) -> Answers | None:
        return None
