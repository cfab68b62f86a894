"""A user's function as a `Problem`: of the code itself, or of what a study has recorded of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from xortune.errors import UsageError
from xortune.problems.code.code import Code
from xortune.problems.code.recorded import name_of_file, recorded_code
from xortune.problems.function.spec import function_spec
from xortune.spec import GraphNode, Parameter, ProblemSpec
from xortune.trial import Params, Weights

KIND = "function"


class RecordedFunction:
    """The problem of a recorded study, without its code; see `xortune.problems.problem.Problem`.

    It has no model: only numbers come back from a function.
    """

    data = ""
    has_models = False

    def __init__(self, spec: ProblemSpec) -> None:
        self.spec = spec

    def graph(self, params: Params) -> Sequence[GraphNode]:
        return ()

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
        super().__init__(function_spec(code.problem, name_of_file(code.file, KIND), parameters))
        self.notes = code.notes
        self.recorded = recorded_code(KIND, code)
        seed = self.spec.seed if seed is None else seed
        if seed is not None:
            self.recorded["seed"] = seed


def _no_model() -> UsageError:
    return UsageError(
        "a study of a function keeps numbers, not models. Call the function with the trial's "
        "parameters to train it again."
    )
