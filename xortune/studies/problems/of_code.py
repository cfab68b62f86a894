"""Subjects that a user's code describes: a function, or a module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.settings import StudySettings
from xortune.studies.problems.table_data import OF_A_TABLE, requested_table, same_table
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.problems.code.code import Code
    from xortune.problems.table.table import Table
    from xortune.studies.problems.subject import SpaceSource, Subject

OF_CODE = ("include",)  # the keywords of a search that go with `problem`
_KINDS = ("function", "module")


def requested_code(
    given: Mapping[str, Any], space: SpaceSource | None, folds: int | None
) -> Subject:
    """The subject of a new search, from `problem`, `include`, and for some modules a table.

    Raises:
        UsageError: the code or its data cannot be used; lists all faults of names.
    """
    code = _loaded(given)
    of_a_table = [key for key in given if key not in ("problem", *OF_CODE)]
    if _kind(code) == "module":
        from xortune.studies.problems.module import ModuleSubject

        table = None
        if of_a_table and code.problem.module.data is None:
            table = _table(given, folds)
        elif of_a_table:
            _refuse(given, of_a_table)
        return ModuleSubject(code, space, folds=folds, table=table)
    if of_a_table:
        _refuse(given, of_a_table)
    from xortune.studies.problems.function import FunctionSubject

    return FunctionSubject(code, space, folds=folds)


def same_code(settings: StudySettings, name: str, given: Mapping[str, Any], force: bool) -> Subject:
    """The subject of a study, named again; by force with another text.

    Raises:
        UsageError: it is another, or cannot be used.
    """
    from xortune.problems.code.recorded import change

    code = _loaded(given)
    kind, here = settings.problem["kind"], _kind(code)
    if here != kind:
        raise UsageError(
            f"{option('problem')}: study {name} searches a {kind}, and this is a {here}. Name the "
            f"{kind} that it began with, or begin a new study."
        )
    changed = change(settings.problem, code)
    if changed and not force:
        others = "model" if kind == "module" else kind
        raise UsageError(
            f"{option('problem')}: the {kind} is not the one that study {name} began with: "
            f"{changed}. Restore it, or resume with {option('force', True)}: finished trials are "
            f"kept without a rank, and the others are trained by the new {others}."
        )
    if kind == "module":
        from xortune.studies.problems.module import same_module

        recorded = "recipe" in settings.problem
        table = same_table(settings, name, given["data"]) if recorded else None
        return same_module(code, settings, name, table)
    from xortune.studies.problems.function import FunctionSubject

    return FunctionSubject(code, settings.space, settings)


def _table(given: Mapping[str, Any], folds: int | None) -> Table:
    """The table from which a module learns that brings no data."""
    if "data" not in given:
        missing = [key for key in OF_A_TABLE if key in given]
        raise UsageError(
            f"{option(missing[0])} {brief(given[missing[0]])}: goes with a table. Name it, with "
            f"{option('data')}."
        )
    return requested_table(given, folds)


def _refuse(given: Mapping[str, Any], wrong: Sequence[str]) -> NoReturn:
    named = ", ".join(f"{option(key)} {brief(given[key])}" for key in wrong)
    raise UsageError(f"{named}: the problem brings its own data. Leave it out.")


def _loaded(given: Mapping[str, Any]) -> Code:
    from xortune.problems.code.code import load_code

    return load_code(given["problem"], given.get("include", ()))


def _kind(code: Code) -> str:
    return _KINDS[code.problem.model is not None]
