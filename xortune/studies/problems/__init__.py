"""The one place that tells problems apart, and brings each together with its engines."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
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
from xortune.studies.problems.of_code import requested_code, same_code
from xortune.studies.problems.subject import Kind
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.problems.problem import Problem
    from xortune.problems.table.recipe import Recipe
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
    "problem_of",
    "requested",
    "resumed",
    "spec_of_study",
]

DEFAULT_DATA = DATA_NAMES[0]
TABLE_SPACE = "table"  # the shipped search space of tables
# The keywords of a search that say what is searched.
_OF_A_TABLE = ("target", "task", "split", "split_seed", "drop", "text")
_OF_A_FUNCTION = ("include",)
SUBJECT_KEYWORDS = ("data", *_OF_A_TABLE, "problem", *_OF_A_FUNCTION)


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
        _check_alone(given, _OF_A_FUNCTION, "the problem brings its own data. Leave it out")
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
        given, _OF_A_TABLE, "it is for the code of a problem, and a table has none. Leave it out"
    )
    about = {key: given[key] for key in _OF_A_TABLE if key in given}
    return _table(data, folds=folds, **about)


def resumed(settings: StudySettings, name: str, given: Mapping[str, Any], force: bool) -> Subject:
    """The subject of a study that is to be continued, named anew by `data` or `problem`.

    Raises:
        UsageError: it is not named, or is another; by force other code is taken.
    """
    needed = kind_of(settings.problem).named_by
    fitting = (needed, *_OF_A_FUNCTION) if needed == "problem" else (needed,)
    unwanted = [key for key in given if key not in fitting]
    if unwanted:
        raise UsageError(
            f"{option(unwanted[0])}: study {name} searches "
            f"{settings.data or settings.spec.problem}, which needs none. Leave it out."
        )
    if needed is None:
        from xortune.studies.problems.lab import LabSubject

        return LabSubject(settings.data)
    if needed not in given:
        raise UsageError(
            f"study {name} searches {settings.data or settings.problem.get('file') or 'code'}"
            f", and a study does not keep its {'data' if needed == 'data' else 'code'}: name it "
            f"again, with {option(needed)}."
        )
    if needed == "data":
        return _same_table(settings, name, given["data"])
    return same_code(settings, name, given, force)


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

        problem = TableProblem(_recipe(settings), settings.data, None)
        if spec_of_study(problem.spec, settings).names != settings.spec.names:
            raise UsageError("the study's parameters are not those of a table: it is damaged.")
        return problem
    if settings.problem["kind"] == "module":
        from xortune.problems.module.problem import RecordedModule

        return RecordedModule(settings.spec)
    from xortune.problems.function.problem import RecordedFunction

    return RecordedFunction(settings.spec)


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


def _check_alone(given: Mapping[str, Any], fitting: tuple[str, ...], reason: str) -> None:
    """Raises UsageError for a keyword that belongs to another kind of problem."""
    wrong = [key for key in given if key not in ("data", "problem", *fitting)]
    if "problem" in given and "data" in given:
        wrong.append("data")
    if wrong:
        named = ", ".join(f"{option(key)} {brief(given[key])}" for key in wrong)
        raise UsageError(f"{named}: {reason}.")


def _table(data: Any, **settings: Any) -> Subject:
    if isinstance(data, (str, Path)):
        _check_file(data)
    from xortune.problems.table.table import load_table
    from xortune.studies.problems.table import TableSubject

    return TableSubject(load_table(data, **settings))


def _check_file(data: str | Path) -> None:
    """Raises UsageError for a name that is neither shipped nor a file."""
    if os.path.exists(data) or Path(data).suffix:  # noqa: PTH110
        return  # The reader of tables looks for a file of a similar name.
    close = difflib.get_close_matches(str(data), DATA_NAMES, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UsageError(
        f"{option('data')} {brief(str(data))}: there is no such file, and the shipped data are "
        f"{' and '.join(DATA_NAMES)}.{hint}"
    )


def _same_table(settings: StudySettings, name: str, data: Any) -> Subject:
    """The study's table, read and prepared as it was."""
    from xortune.problems.table.table import load_table_again
    from xortune.studies.problems.table import TableSubject

    if isinstance(data, (str, Path)):
        _check_file(data)
    table = load_table_again(data, _recipe(settings))
    if table.digest != settings.problem.get("digest"):
        raise UsageError(
            f"{option('data')} {brief(table.name)}: is not the data of study {name}, though it "
            "looks alike: a value differs. Name the data that the study began with, or begin a "
            "new study with this one."
        )
    return TableSubject(table)


def _recipe(settings: StudySettings) -> Recipe:
    """How the study's table is prepared; raises UsageError for a damaged record."""
    from xortune.problems.table.recipe import Recipe

    try:
        recipe = Recipe.from_dict(settings.problem.get("recipe", {}))
    except ValueError as error:
        raise UsageError(f"the study does not hold the recipe of a table: {error}") from None
    if recipe.folds != settings.folds:
        raise UsageError(
            f"the study has {settings.folds or 'no'} folds, and the recipe of its table "
            f"{recipe.folds or 'none'}: it is damaged."
        )
    return recipe
