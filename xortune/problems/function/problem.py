"""A user's function as a `Problem`: of the code itself, or of what a study has recorded of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.function.code import Code
from xortune.problems.function.spec import function_spec, name_of_file, notes_on
from xortune.spec import GraphNode, Parameter, ProblemSpec
from xortune.trial import Params, Weights
from xortune.wording import option

KIND = "function"
# The most characters of a text that a study keeps for reading.
_KEPT = 90_000


class FunctionProblem:
    """See `xortune.problems.problem.Problem`. It has no model: only numbers come back.

    Attributes:
        spec: the problem as plain data.
        recorded: what a study records of it beside the spec: plain values, for reading.
        space: the `parameters` of its search space; empty where it was made from a record.
        notes: for the user.
    """

    data = ""
    graph: Sequence[GraphNode] = ()
    inputs = 0

    def __init__(
        self,
        spec: ProblemSpec,
        recorded: Mapping[str, Any],
        space: Mapping[str, Any] | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.spec = spec
        self.recorded = recorded
        self.space = space or {}
        self.notes = tuple(notes)

    @classmethod
    def of(
        cls, code: Code, parameters: Sequence[Parameter], space: Mapping[str, Any] | None = None
    ) -> FunctionProblem:
        """The problem of some code.

        Args:
            code: the code.
            parameters: those of its search space.
            space: the `parameters` of another space than the problem's own.

        Raises:
            UsageError: lists all faults of names.
        """
        problem = code.problem
        used = problem.space if space is None else space
        used = used or {}
        spec = function_spec(problem, name_of_file(code.file), parameters)
        return cls(spec, _recorded(code), used, (*code.notes, *notes_on(used, parameters)))

    def model(self, params: Params, weights: Weights) -> NoReturn:
        raise _no_model()

    def predict(self, params: Params, weights: Weights, inputs: Sequence[float]) -> NoReturn:
        raise _no_model()


def own_space(code: Code) -> Mapping[str, Any]:
    """The search space that a problem brings.

    Raises:
        UsageError: it brings none.
    """
    space = code.problem.space
    if space is None:
        raise UsageError(
            f"{option('problem')} {code.file or 'of this session'}: brings no search space. Add "
            'one to Problem: space={"rate": {"min": 0.001, "max": 0.1}}; or name a space file.'
        )
    return space


def change(recorded: Mapping[str, Any], code: Code) -> str | None:
    """What differs between the code of a recorded study and the code at hand; None if nothing."""
    there, here = recorded.get("digest"), code.digest
    if there == here and here is not None:
        return None
    if there is None or here is None:
        return "the text of its function is not known, so it may have changed"
    named = recorded.get("file") or "its function"
    return f"{brief(named)} has another text than when the study began: trials may differ"


def _recorded(code: Code) -> dict[str, Any]:
    text = code.text
    if len(text) > _KEPT:
        text = f"{text[:_KEPT]}\n# ... {len(text) - _KEPT} more characters\n"
    return {
        "kind": KIND,
        "file": code.file,
        "name": code.name,
        "digest": code.digest,
        "text": text,
        "includes": {include.folder: include.digest for include in code.includes},
    }


def _no_model() -> UsageError:
    return UsageError(
        "a study of a function keeps numbers, not models. Call the function with the trial's "
        "parameters to train it again."
    )
