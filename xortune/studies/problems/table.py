"""A table of data as a subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xortune.engines.engine import EngineChoice
from xortune.engines.plain.engine import PlainEngine
from xortune.problems.table.problem import TableProblem
from xortune.settings import RunOptions, StudySettings
from xortune.space import SearchSpace, load_space
from xortune.spec import ProblemSpec
from xortune.studies.problems.subject import OneEngine, SpaceSource
from xortune.trial import Params, Weights

if TYPE_CHECKING:
    from xortune.problems.table.table import Table


_SPACE = "table"


class TableSubject:
    """See `Subject`."""

    default_space: str | None = _SPACE

    def __init__(self, table: Table) -> None:
        self._table = table
        self.problem = TableProblem(table.recipe, table.name, table)
        self.notes = table.notes
        self.recorded: Mapping[str, Any] = {
            "kind": "table",
            "digest": table.digest,
            "recipe": table.recipe.to_dict(),
        }

    def space(self, source: SpaceSource | None, spec: ProblemSpec) -> SearchSpace:
        return load_space(_SPACE if source is None else source, spec)

    def choice(self, wanted: str, settings: StudySettings, options: RunOptions) -> EngineChoice:
        table = self._table
        engine = PlainEngine(table.training, table.validation, table.recipe.target, settings.spec)
        return OneEngine(engine)

    def tested(self, params: Params, weights: Weights) -> Mapping[str, float] | None:
        return self.problem.tested(params, weights)
