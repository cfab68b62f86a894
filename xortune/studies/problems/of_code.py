"""Subjects that a user's code describes: a function, or a module."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.settings import StudySettings
from xortune.studies.problems.table_data import (
    OF_A_TABLE,
    recipe_of,
    requested_table,
    same_table,
)
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.problems.code.code import Code
    from xortune.problems.module.problem import ModuleProblem
    from xortune.problems.table.table import Table
    from xortune.studies.problems.subject import SpaceSource, Subject

OF_CODE = ("include",)  # the keywords of a search that go with `problem`
_KINDS = ("function", "module")
# For what a study's code is named again: to train its trials, or one on fresh seeds, or to ask its
# trained models.
Purpose = Literal["resume", "luck", "models"]

_log = logging.getLogger("xortune")


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


def same_code(
    settings: StudySettings, name: str, given: Mapping[str, Any], force: bool, purpose: Purpose
) -> Subject:
    """The subject of a study, named again; by force with another text.

    Raises:
        UsageError: it is another, or cannot be used.
    """
    code, changed = _code_again(settings, name, given)
    if changed and not force:
        raise _other_text(settings, name, changed, purpose)
    if settings.problem["kind"] == "module":
        from xortune.studies.problems.module import same_module

        recorded = "recipe" in settings.problem
        table = same_table(settings, name, given["data"]) if recorded else None
        return same_module(code, settings, name, table)
    from xortune.studies.problems.function import FunctionSubject

    return FunctionSubject(code, settings.space, settings)


def asked_module(
    settings: StudySettings, name: str, given: Mapping[str, Any], force: bool
) -> ModuleProblem:
    """The problem of a study of a module, named again for its trained models.

    Where it learns from a table, the recorded recipe is enough. By force its text and its own data
    may be others, which is said: what counts is that the trained weights fit its model.

    Raises:
        UsageError: the code is another, or cannot be used.
    """
    from xortune.problems.module.problem import ModuleProblem

    code, changed = _code_again(settings, name, given)
    if changed and not force:
        raise _other_text(settings, name, changed, "models")
    recipe = table = None
    if "data" in given:
        table = same_table(settings, name, given["data"])
    elif "recipe" in settings.problem:
        recipe = recipe_of(settings)
    spec = settings.spec
    problem = ModuleProblem(code, spec.parameters, table, recipe, spec.problem)
    if recipe is None and problem.recorded["data_digest"] != settings.problem.get("data_digest"):
        others = "data returns other rows than when the study began"
        if not force:
            raise UsageError(
                f"{option('problem')}: study {name}: {others}. {_restored_or_forced()}"
            )
        changed = f"{changed}, and {others}" if changed else others
    if changed:
        _log.warning(
            f"study {name}: {changed}. Its trained weights are used in the module as it is now."
        )
    return problem


def _code_again(
    settings: StudySettings, name: str, given: Mapping[str, Any]
) -> tuple[Code, str | None]:
    """The code of a study, named again, and how its text has changed; None if it has not."""
    from xortune.problems.code.recorded import change

    code = _loaded(given)
    kind, here = settings.problem["kind"], _kind(code)
    if here != kind:
        raise UsageError(
            f"{option('problem')}: study {name} searches a {kind}, and this is a {here}. Name the "
            f"{kind} that it began with, or begin a new study."
        )
    return code, change(settings.problem, code)


def _other_text(settings: StudySettings, name: str, changed: str, purpose: Purpose) -> UsageError:
    """That the text of a study's code has changed, with what can be done about it."""
    kind = settings.problem["kind"]
    others = "model" if kind == "module" else kind
    remedy = {
        "resume": (
            f"Restore it, or resume with {option('force', True)}: finished trials are kept "
            f"without a rank, and the others are trained by the new {others}."
        ),
        "luck": "Restore it.",
        "models": _restored_or_forced(),
    }[purpose]
    return UsageError(
        f"{option('problem')}: the {kind} is not the one that study {name} began with: {changed}. "
        f"{remedy}"
    )


def _restored_or_forced() -> str:
    """What can be done where a module has changed whose trained models are asked."""
    return (
        f"Restore it, or use {option('force', True)}: then the trained weights are used in the "
        "module as it is now, if they fit it."
    )


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
