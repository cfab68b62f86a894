"""A user's function as a `Problem`: of the code itself, or of what a study has recorded of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from xortune.errors import UsageError
from xortune.plain_numbers import brief
from xortune.problems.code.code import Code
from xortune.problems.function.spec import function_spec, name_of_file
from xortune.spec import GraphNode, Parameter, ProblemSpec
from xortune.trial import Params, Weights
from xortune.wording import option

KIND = "function"


class RecordedFunction:
    """The problem of a recorded study, without its code; see `xortune.problems.problem.Problem`.

    It has no model: only numbers come back from a function.
    """

    data = ""
    has_models = False
    graph: Sequence[GraphNode] = ()

    def __init__(self, spec: ProblemSpec) -> None:
        self.spec = spec

    def model(self, params: Params, weights: Weights) -> NoReturn:
        raise _no_model()

    def predict(self, params: Params, weights: Weights, inputs: Any) -> NoReturn:
        raise _no_model()

    def network(self, params: Params, weights: Weights) -> None:
        return None

    def surface(self, params: Params, weights: Weights) -> None:
        return None

    def explain(self, params: Params, weights: Weights, inputs: Any) -> NoReturn:
        raise _no_model()

    def portable(self, params: Params, weights: Weights) -> NoReturn:
        raise _no_model()

    def examples(self, params: Params, weights: Weights) -> NoReturn:
        raise _no_model()


class FunctionProblem(RecordedFunction):
    """The problem of some code.

    Args:
        code: the code.
        parameters: those of its search space.
        seed: the parameter that seeds a training, where a study with replicates has recorded it;
            None for that of the parameters.

    Attributes:
        recorded: what a study records of it beside the spec: plain values, for reading.
        notes: for the user.

    Raises:
        UsageError: lists all faults of names.
    """

    def __init__(
        self, code: Code, parameters: Sequence[Parameter], seed: str | None = None
    ) -> None:
        super().__init__(function_spec(code.problem, name_of_file(code.file), parameters))
        self.notes = code.notes
        self.recorded = {
            "kind": KIND,
            "file": code.file,
            "name": code.name,
            "digest": code.digest,
            "text": code.text,
            "includes": {include.folder: include.digest for include in code.includes},
        }
        seed = self.spec.seed if seed is None else seed
        if seed is not None:
            self.recorded["seed"] = seed


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


def _no_model() -> UsageError:
    return UsageError(
        "a study of a function keeps numbers, not models. Call the function with the trial's "
        "parameters to train it again."
    )
