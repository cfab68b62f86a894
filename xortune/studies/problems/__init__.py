"""The one place that tells problems apart, and brings each together with its engines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xortune.engines.function.names import FUNCTION
from xortune.engines.xor import names as of_the_lab
from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.table.tasks import TASKS
from xortune.problems.xor.spec import DATA_NAMES, SPEC
from xortune.settings import StudySettings
from xortune.studies.problems import module_engines as of_modules
from xortune.studies.problems import table_engines as of_tables
from xortune.studies.problems.of_code import (
    OF_CODE,
    Purpose,
    asked_module,
    requested_code,
    same_code,
)
from xortune.studies.problems.subject import Kind
from xortune.studies.problems.table_data import OF_A_TABLE, recipe_of, requested_table, same_table
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.problems.problem import Problem
    from xortune.spec import ProblemSpec
    from xortune.studies.problems.subject import SpaceSource, Subject

__all__ = [
    "DATA_NAMES",
    "DEFAULT_DATA",
    "ENGINES",
    "SPEC",
    "SUBJECT_KEYWORDS",
    "TABLE_SPACE",
    "TASKS",
    "has_test_rows",
    "kind_of",
    "named_problem",
    "problem_of",
    "requested",
    "resumed",
    "spec_of_study",
]

DEFAULT_DATA = DATA_NAMES[0]
TABLE_SPACE = "table"  # the shipped search space of tables
# The keywords of a search that say what is searched.
SUBJECT_KEYWORDS = ("data", *OF_A_TABLE, "problem", *OF_CODE)


def _libraries_of_the_lab(recorded_name: str, device: str) -> tuple[str, ...]:
    from xortune.engines.xor.choice import libraries

    return libraries(recorded_name, device)


# By `StudySettings.problem["kind"]`, which the lab's problem lacks.
_KINDS = {
    None: Kind(of_the_lab.ENGINES, of_the_lab.NAMES, True, _libraries_of_the_lab),
    "table": Kind(of_tables.ENGINES, of_tables.NAMES, False, of_tables.libraries, "data"),
    "function": Kind(
        ("auto", "function"), (FUNCTION,), True, lambda *_: (), "problem", is_function=True
    ),
    "module": Kind(of_modules.ENGINES, of_modules.NAMES, False, of_modules.libraries, "problem"),
}
# The names of the engines of all problems.
ENGINES = tuple(dict.fromkeys(name for kind in _KINDS.values() for name in kind.engines))


def kind_of(recorded: Mapping[str, Any]) -> Kind:
    """The kind of a subject, from `StudySettings.problem`.

    Raises:
        UsageError: a later version of xortune knows it.
    """
    kind = recorded.get("kind")
    if kind is not None and (not isinstance(kind, str) or kind not in _KINDS):
        raise UsageError(f"the study searches a {brief(kind)}, which this xortune does not know.")
    return _KINDS[kind]


def requested(
    given: Mapping[str, Any], space: SpaceSource | None, folds: int | None = None
) -> Subject:
    """The subject of a new search.

    Args:
        given: those of `SUBJECT_KEYWORDS` that are given.
        space: the search space; None for the problem's own.
        folds: the parts of the rows that validate in turn; a function cuts its own.

    Raises:
        UsageError: they do not fit together, or the data or the code cannot be used.
    """
    if "problem" in given:
        return requested_code(given, space, folds)
    data = given.get("data", DEFAULT_DATA)
    if _is_shipped(data):
        _check_alone(given, (), f"the lab's problem has none. Name a table, with {option('data')}")
        from xortune.studies.problems.lab import LabSubject

        if folds is not None:
            raise UsageError(
                f"{option('folds')} {brief(folds)}: is for tables, functions and modules; the "
                "lab's problem has four rows. Leave it out."
            )
        return LabSubject(data)
    _check_alone(
        given, OF_A_TABLE, "it is for the code of a problem, and a table has none. Leave it out"
    )
    from xortune.studies.problems.table import TableSubject

    return TableSubject(requested_table(given, folds))


def resumed(
    settings: StudySettings,
    name: str,
    given: Mapping[str, Any],
    force: bool,
    purpose: Purpose = "resume",
) -> Subject:
    """The subject of a study that is to be continued, named anew by `data` or `problem`.

    Raises:
        UsageError: it is not named, or is another; by force other code is taken.
    """
    needed = kind_of(settings.problem).named_by
    with_table = "recipe" in settings.problem
    _check_needed(settings, name, given)
    if needed is None:
        from xortune.studies.problems.lab import LabSubject

        return LabSubject(settings.data)
    for missing in (needed, "data") if with_table else (needed,):
        if missing not in given:
            searched = settings.data or settings.problem.get("file") or "code"
            raise UsageError(
                f"study {name} searches {searched}, and a study does not keep its "
                f"{'data' if missing == 'data' else 'code'}: name it again, with "
                f"{option(missing)}."
            )
    if needed == "data":
        from xortune.studies.problems.table import TableSubject

        return TableSubject(same_table(settings, name, given["data"]))
    return same_code(settings, name, given, force, purpose)


def problem_of(settings: StudySettings) -> Problem:
    """The problem that a study searches, for reading: without its data and code.

    Raises:
        UsageError: the study was made by a later version.
    """
    needed = kind_of(settings.problem).named_by
    if needed is None:
        from xortune.problems.xor.problem import made_with

        if settings.data not in DATA_NAMES:
            raise UsageError(
                f"the study searches the data {brief(settings.data)}, which this xortune does not "
                "know."
            )
        return made_with(settings.data)
    if needed == "data":
        from xortune.problems.table.problem import TableProblem

        problem = TableProblem(recipe_of(settings), settings.data, None)
        if spec_of_study(problem.spec, settings).names != settings.spec.names:
            raise UsageError("the study's parameters are not those of a table: it is damaged.")
        return problem
    if settings.problem["kind"] == "module":
        from xortune.problems.module.problem import RecordedModule

        return RecordedModule(settings.spec)
    from xortune.problems.function.problem import RecordedFunction

    return RecordedFunction(settings.spec)


def named_problem(
    settings: StudySettings, name: str, given: Mapping[str, Any], *, force: bool
) -> Problem:
    """The problem of a study for its trained models, with its code named again, as for `resumed`.

    By force a module may have changed; see `asked_module`.
    """
    if settings.problem.get("kind") == "module" and "problem" in given:
        _check_needed(settings, name, given)
        return asked_module(settings, name, given, force)
    return resumed(settings, name, given, force=False).problem


def has_test_rows(settings: StudySettings) -> bool:
    """Whether a study's problem has rows that no search sees."""
    return settings.problem.get("kind") == "table" or bool(settings.problem.get("test_rows"))


def spec_of_study(single: ProblemSpec, settings: StudySettings) -> ProblemSpec:
    """The spec that a study records of a problem, from that of one training."""
    spec = single.aimed_as(settings.spec)
    replicated, pruned = settings.replicates > 1, settings.pruner != "none"
    if not (replicated or pruned):
        return spec  # A function of an earlier version may have a metric of a name that is added.
    return spec.extended(replicated=replicated, pruned=pruned)


def _is_shipped(data: Any) -> bool:
    return isinstance(data, str) and data in DATA_NAMES


def _check_needed(settings: StudySettings, name: str, given: Mapping[str, Any]) -> None:
    """Raises UsageError for a keyword that a study does not need."""
    needed = kind_of(settings.problem).named_by
    fitting = (*(["data"] if "recipe" in settings.problem else []), *([needed] if needed else []))
    fitting += OF_CODE if needed == "problem" else ()
    unwanted = [key for key in given if key not in fitting]
    if unwanted:
        raise UsageError(
            f"{option(unwanted[0])}: study {name} searches "
            f"{settings.data or settings.spec.problem}, which needs none. Leave it out."
        )


def _check_alone(given: Mapping[str, Any], fitting: tuple[str, ...], reason: str) -> None:
    """Raises UsageError for a keyword that belongs to another kind of problem."""
    wrong = [key for key in given if key not in ("data", *fitting)]
    if wrong:
        named = ", ".join(f"{option(key)} {brief(given[key])}" for key in wrong)
        raise UsageError(f"{named}: {reason}.")
