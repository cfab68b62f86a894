"""A table of data as a subject."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xortune.engines.engine import EngineChoice
from xortune.errors import UsageError
from xortune.problems.table.problem import TableProblem
from xortune.settings import RunOptions, StudySettings
from xortune.space import SearchSpace, load_space
from xortune.spec import ProblemSpec
from xortune.studies.problems.subject import SpaceSource
from xortune.studies.problems.table_engines import engine_choice
from xortune.trial import Answers, Params, Weights
from xortune.wording import option

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
        spec = self.problem.spec.aimed_as(settings.spec)
        _refuse_without_value(table, spec)
        if len(table.test.x):
            threading.Thread(target=_import_torch, daemon=True).start()
        space = load_space(settings.space, settings.spec)
        return engine_choice(table, wanted, spec, space)

    def tested(self, params: Params, weights: Weights) -> Mapping[str, float] | None:
        return self.problem.tested(params, weights)

    def test_answers(self, params: Params, weights: Weights) -> Answers | None:
        return self.problem.test_answers(params, weights)


def _import_torch() -> None:
    """Takes a second, beside other work; the test rows are measured last."""
    import xortune.problems.table.model  # noqa: F401


def _refuse_without_value(table: Table, spec: ProblemSpec) -> None:
    """Raises UsageError if the objective has no value on the validation rows of some fold."""
    import numpy as np

    from xortune.problems.table.measures import measured

    name = spec.objectives[0].metric
    for k, fold in enumerate(table.folds):
        outputs = np.zeros((len(fold.validation.y), fold.target.outputs), np.float32)
        if math.isnan(measured(fold.target, outputs, fold.validation.y).get(name, 0.0)):
            raise UsageError(
                f"{option('objective')} {name}: has no value on the validation rows of fold {k}, "
                f"where the target is always the same. Name another objective, or fewer "
                f"{option('folds')} than {len(table.folds):,}."
            )
