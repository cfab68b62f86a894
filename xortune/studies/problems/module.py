"""A module of the user's own as a subject."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xortune.engines.engine import EngineChoice
from xortune.errors import UsageError, XortuneError
from xortune.prints import hidden_prints
from xortune.problems.code.recorded import own_space
from xortune.problems.function.spec import notes_on
from xortune.problems.module.annotated import annotations_at_fault
from xortune.problems.module.problem import ModuleProblem
from xortune.problems.table.folds import check_folds
from xortune.settings import RunOptions, StudySettings
from xortune.space import SearchSpace
from xortune.spec import ProblemSpec
from xortune.studies.problems.own_spaces import parameters_of, space_of
from xortune.studies.problems.subject import SpaceSource
from xortune.trial import Answers, Params, Weights
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.problems.code.code import Code
    from xortune.problems.table.table import Table

_log = logging.getLogger("xortune")


class ModuleSubject:
    """See `Subject`.

    Args:
        code: the module's.
        source: a search space; None for the problem's own.
        study: the settings of a recorded study; None infers parameters from the space.
        folds: the parts of the rows that validate in turn; None for no folds.
        table: from which it learns; None where the code brings its data.

    Raises:
        UsageError: the data cannot be learnt from; lists all faults of names.
    """

    default_space: str | None = None

    def __init__(
        self,
        code: Code,
        source: SpaceSource | None,
        study: StudySettings | None = None,
        folds: int | None = None,
        table: Table | None = None,
    ) -> None:
        self._shown = False  # what the code prints
        self._source = own_space(code) if source is None else source
        self._faults: list[str] = []
        parameters = parameters_of(code, self._source) if study is None else study.spec.parameters
        # A study that has begun keeps what it trains with.
        if study is None:
            self._faults = annotations_at_fault(code.problem.module.model, parameters)
        name = None if study is None else study.spec.problem
        try:
            self.problem = ModuleProblem(code, parameters, table, name=name)
        except UsageError as error:
            others = (f"{code.named}: {fault}." for fault in self._faults)
            raise UsageError("\n".join((str(error), *others))) from None
        _refuse_too_many(folds, self.problem)
        self.recorded: Mapping[str, Any] = self.problem.recorded
        self.notes = self.problem.notes

    def space(self, source: SpaceSource | None, spec: ProblemSpec) -> SearchSpace:
        space = space_of(self.problem.code, self._source, spec, self._faults)
        notes = notes_on(space.parameters, spec.parameters)
        return replace(space, notes=(*space.notes, *notes))

    def choice(self, wanted: str, settings: StudySettings, options: RunOptions) -> EngineChoice:
        from xortune.studies.problems.module_engines import engine_choice

        self._shown = options.verbose
        return engine_choice(self.problem, wanted, settings, shown=options.verbose)

    def tested(self, params: Params, weights: Weights) -> Mapping[str, float] | None:
        try:
            with hidden_prints(shown=self._shown):
                return self.problem.tested(params, weights)
        except (XortuneError, KeyboardInterrupt):
            raise
        except BaseException as error:  # Whatever the user's code makes of those rows.
            words = self.problem.lesson.words(error)
            _log.warning(f"not measured on the test rows: {words}.")
            return None

    def test_answers(self, params: Params, weights: Weights) -> Answers | None:
        return None


def same_module(
    code: Code, settings: StudySettings, name: str, table: Table | None
) -> ModuleSubject:
    """The subject of a study, from its code, named again, and its table, if it has one.

    Raises:
        UsageError: its data, its parameters or its metrics are others.
    """
    from xortune.studies.problems import spec_of_study

    subject = ModuleSubject(code, settings.space, settings, table=table)
    if subject.recorded["data_digest"] != settings.problem.get("data_digest"):
        raise UsageError(
            f"{option('problem')}: data returns other rows than when study {name} began. Restore "
            "them, or begin a new study. Rows that are drawn need a generator with a seed."
        )
    if spec_of_study(subject.problem.spec, settings) != settings.spec:
        raise UsageError(
            f"{option('problem')}: its parameters or metrics are not those of study {name}. Begin "
            "a new study."
        )
    return subject


def _refuse_too_many(folds: int | None, problem: ModuleProblem) -> None:
    """Raises UsageError unless every fold has a row to validate on."""
    count, rows = check_folds(folds), problem.material.rows
    there = len(rows.x) + len(rows.x_validation)
    if count is not None and count > there:
        raise UsageError(
            f"{option('folds')} {count:,}: there are {there:,} training and validation rows. Use "
            f"at most {there:,}."
        )
