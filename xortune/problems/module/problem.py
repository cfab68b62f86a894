"""A module's problem as a `Problem`: of the code itself, or of what a study has recorded of it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from xortune.errors import UsageError
from xortune.problems.code.code import Code
from xortune.problems.code.recorded import name_of_file, recorded_code
from xortune.problems.module.spec import module_spec
from xortune.problems.module.table_rows import rows_of_table
from xortune.spec import GraphNode, Parameter, ProblemSpec
from xortune.trial import Params, Weights
from xortune.wording import option

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from xortune.problems.module.lesson import Material, ModuleLesson
    from xortune.problems.table.table import Table

KIND = "module"


class RecordedModule:
    """The problem of a recorded study, without its code; see `xortune.problems.problem.Problem`.

    Its trials leave weights, but only the code makes a model of them.
    """

    data = ""
    has_models = False
    graph: Sequence[GraphNode] = ()

    def __init__(self, spec: ProblemSpec) -> None:
        self.spec = spec

    def model(self, params: Params, weights: Weights) -> Any:
        raise _needs_code()

    def predict(self, params: Params, weights: Weights, inputs: Any) -> Any:
        raise _needs_code()

    def network(self, params: Params, weights: Weights) -> None:
        return None

    def surface(self, params: Params, weights: Weights) -> None:
        return None

    def explain(self, params: Params, weights: Weights, inputs: Any) -> NoReturn:
        raise UsageError("a module of your own has no explanation: only xortune's networks do.")

    def portable(self, params: Params, weights: Weights) -> NoReturn:
        raise UsageError(
            "a module of your own is not exported. In Python: "
            "torch.save(study.model(NUMBER, problem='FILE.py').state_dict(), 'FILE.pt')."
        )

    def examples(self, params: Params, weights: Weights) -> None:
        return None


class ModuleProblem(RecordedModule):
    """The problem of some code.

    Args:
        code: the code.
        parameters: those of its search space, or of a recorded study.
        table: from which it learns; None where the code brings its data.

    Attributes:
        material: the code with the rows of its data.
        recorded: what a study records of it beside the spec: plain values, for reading.
        notes: for the user.

    Raises:
        UsageError: the data cannot be learnt from; lists all faults of names.
    """

    def __init__(
        self, code: Code, parameters: Sequence[Parameter], table: Table | None = None
    ) -> None:
        super().__init__(module_spec(code.problem, name_of_file(code.file, KIND), parameters))
        self.code = code
        self.material = _material(code, table)
        self.notes = code.notes
        self.recorded: Mapping[str, Any] = {
            **recorded_code(KIND, code),
            "data_digest": self.material.rows.digest,
            "test_rows": 0 if self.material.rows.x_test is None else len(self.material.rows.x_test),
        }
        if table is not None:
            self.data = table.name
            self.notes = (*code.notes, *table.notes)
            recipe = {"recipe": table.recipe.to_dict(), "table_digest": table.digest}
            self.recorded = {**self.recorded, **recipe}

    @cached_property
    def lesson(self) -> ModuleLesson:
        """The lesson, as a worker loads it."""
        from xortune.problems.module.lesson import load_lesson

        return load_lesson(self.material)

    def model(self, params: Params, weights: Weights) -> nn.Module:
        """The trained model, in evaluation mode.

        Raises:
            XortuneError: the weights are those of another model.
        """
        from xortune.problems.module.weights import set_weights

        model = self.lesson.build(params)
        set_weights(model, weights)
        return model.eval()

    def predict(self, params: Params, weights: Weights, inputs: Any) -> NDArray[Any]:
        """The trained model's outputs for some rows, as an array."""
        import torch

        from xortune.problems.table.arithmetic import undisturbed

        with undisturbed(), torch.inference_mode():
            outputs = self.model(params, weights)(torch.as_tensor(inputs))
            array: NDArray[Any] = outputs.numpy()
            return array

    def tested(self, params: Params, weights: Weights) -> Mapping[str, float] | None:
        """The final loss and the metrics on the test rows; None without such rows."""
        lesson = self.lesson
        if lesson.x_test is None or lesson.y_test is None:
            return None
        import torch

        from xortune.problems.table.arithmetic import undisturbed

        with undisturbed(), torch.inference_mode():
            outputs = self.model(params, weights)(lesson.x_test)
            functions = {lesson.loss: lesson.losses[lesson.loss], **lesson.metrics}
            return {name: float(f(outputs, lesson.y_test)) for name, f in functions.items()}


def _material(code: Code, table: Table | None) -> Material:
    """The code as it travels, with the rows of a table, or of its data.

    Those of its data have to be the same again.

    Raises:
        UsageError: they are not, or it fails as it travels: a live object leaves behind what
            cloudpickle does not see.
    """
    from xortune.problems.module.lesson import Material, load_material

    travelled: Code = pickle.loads(pickle.dumps(code))
    if table is not None:
        as_numbers = "cross_entropy" not in code.problem.module.losses
        all_rows, folds = rows_of_table(table, as_numbers=as_numbers)
        return Material(travelled, all_rows, folds)
    rows = load_material(code).rows
    if load_material(travelled).rows.digest != rows.digest:
        raise UsageError(
            f"{option('problem')} {code.file or 'of this session'}: data returns other rows at "
            "every call, so no study could be resumed. Draw them from a generator with a seed, "
            "such as numpy.random.default_rng(0)."
        )
    return Material(travelled, rows)


def _needs_code() -> UsageError:
    return UsageError(
        "a study keeps the weights of a module, and not the code that makes it. Name it again, in "
        "Python: study.model(NUMBER, problem='FILE.py')."
    )
