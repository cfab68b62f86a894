"""Subjects that a user's code describes: a function, or a module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xortune.errors import UsageError
from xortune.settings import StudySettings
from xortune.wording import option

if TYPE_CHECKING:
    from xortune.problems.code.code import Code
    from xortune.studies.problems.subject import SpaceSource, Subject

_KINDS = ("function", "module")


def requested_code(
    given: Mapping[str, Any], space: SpaceSource | None, folds: int | None
) -> Subject:
    """The subject of a new search, from the keywords `problem` and `include`.

    Raises:
        UsageError: the code or its data cannot be used; lists all faults of names.
    """
    code = _loaded(given)
    if _kind(code) == "module":
        from xortune.studies.problems.module import ModuleSubject

        return ModuleSubject(code, space, folds=folds)
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

        return same_module(code, settings, name)
    from xortune.studies.problems.function import FunctionSubject

    return FunctionSubject(code, settings.space, settings)


def _loaded(given: Mapping[str, Any]) -> Code:
    from xortune.problems.code.code import load_code

    return load_code(given["problem"], given.get("include", ()))


def _kind(code: Code) -> str:
    return _KINDS[code.problem.model is not None]
