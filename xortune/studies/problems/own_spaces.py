"""The search space of a problem of code: what is wrong with it names the file that brings it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xortune.errors import SpaceError
from xortune.space import SearchSpace, inferred_parameters, load_space
from xortune.spec import Parameter, ProblemSpec

if TYPE_CHECKING:
    from xortune.problems.code.code import Code
    from xortune.studies.problems.subject import SpaceSource


def parameters_of(code: Code, source: SpaceSource) -> tuple[Parameter, ...]:
    """As `inferred_parameters`."""
    try:
        return inferred_parameters(source)
    except SpaceError as error:
        raise _named(code, source, error.source, error.faults) from None


def space_of(
    code: Code, source: SpaceSource, spec: ProblemSpec, faults: Sequence[str] = ()
) -> SearchSpace:
    """As `load_space`; these faults are said with its own.

    Raises:
        SpaceError: lists all faults.
    """
    try:
        space = load_space(source, spec)
    except SpaceError as error:
        raise _named(code, source, error.source, [*error.faults, *faults]) from None
    if faults:
        raise _named(code, source, space.source, faults)
    return space


def _named(code: Code, source: SpaceSource, name: str, faults: Sequence[str]) -> SpaceError:
    own = code.given and source is code.problem.space
    return SpaceError(f"of {code.given}" if own else name, faults)
