"""Runs a problem's text as a module, and finds the one problem in it."""

from __future__ import annotations

import difflib
import hashlib
import sys
from types import ModuleType
from typing import Any

from xortune.errors import UsageError
from xortune.problems.code.faults import Shown, lines_of, with_lines
from xortune.problems.code.importing import run_text
from xortune.problems.code.unpickling import unpickled
from xortune.problems.declared import Problem
from xortune.wording import option

_EXAMPLE = 'problem = xortune.Problem(train, {"rate": {"min": 0.0, "max": 1.0}})'


def loaded_problem(
    text: str, filename: str, name: str, shown: Shown, place: str, what: str
) -> tuple[str, Problem]:
    """The problem of a file, and the variable that holds it.

    Args:
        text: of the file.
        filename: its name in tracebacks.
        name: the variable; empty for the only problem there is.
        shown: the names of the user's files in messages.
        place: its `__file__`, beside which it looks for data.
        what: what a message begins with.

    Raises:
        UsageError: the file fails, or does not hold one problem, or none of that name.
    """
    # A private name, since a module of the file's own name may be imported elsewhere.
    private = f"xortune_problem_{hashlib.sha256(filename.encode()).hexdigest()[:16]}"
    module = ModuleType(private)
    module.__file__ = place
    before = sys.modules.get(private)
    sys.modules[private] = module  # Dataclasses and pickles look there.
    try:
        run_text(text, filename, module)
    except UsageError as error:  # Of xortune itself, such as the faults of a Problem.
        if before is None:
            del sys.modules[private]
        faults = "\n".join(f"{what}: {fault}" for fault in str(error).splitlines())
        raise UsageError("\n".join([faults, *lines_of(error, shown)])) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if before is None:
            del sys.modules[private]
        raise UsageError(f"{what}: fails when it is imported: {with_lines(error, shown)}") from None
    return _found(vars(module), name, what)


def loaded_object(pickled: bytes) -> Problem:
    """A live problem, in another process than the caller's.

    Raises:
        UsageError: a module that it needs is not there.
    """
    try:
        problem: Problem = unpickled(pickled)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{option('problem')}: it needs the module {error.name!r}, which is not installed "
            "where it is trained. Name the problem's file instead of the object, with the "
            f"module's folder as {option('include')}, or install the module on the workers."
        ) from None
    except Exception as error:
        raise UsageError(
            f"{option('problem')}: cannot be loaded where it is trained: "
            f"{type(error).__name__}: {error}."
        ) from None
    return problem


def _found(names: dict[str, Any], wanted: str, what: str) -> tuple[str, Problem]:
    """The problem among the names of a module."""
    problems = {name: value for name, value in names.items() if isinstance(value, Problem)}
    if wanted:
        if wanted in problems:
            return wanted, problems[wanted]
        close = difflib.get_close_matches(wanted, problems, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        there = f"there are {', '.join(problems)}" if problems else "there is none"
        raise UsageError(f"{what}: has no problem {wanted!r}; {there}.{hint}")
    distinct = {id(problem): name for name, problem in reversed(problems.items())}
    if len(distinct) > 1:
        listed = ", ".join(reversed(distinct.values()))
        raise UsageError(f"{what}: has {len(distinct)} problems: {listed}. Name one: {what}:NAME.")
    if not distinct:
        raise UsageError(
            f"{what}: has no problem. Add one for its function train(config, report): {_EXAMPLE}; "
            "or for a module: xortune.Problem(model=..., data=..., loss=..., space={...})"
        )
    (name,) = distinct.values()
    return name, problems[name]
