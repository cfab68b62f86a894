"""A module's problem as a `Problem`: of the code itself, or of what a study has recorded of it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from xortune.errors import UsageError
from xortune.problems.code.code import Code
from xortune.problems.code.recorded import name_of_file, recorded_code
from xortune.problems.module.declared import keywords_of
from xortune.problems.module.spec import module_spec
from xortune.problems.module.table_rows import rows_like, rows_of_table
from xortune.problems.portable import Portable
from xortune.spec import GraphNode, Parameter, ProblemSpec
from xortune.trial import Params, Weights
from xortune.wording import option

if TYPE_CHECKING:
    from pandas import DataFrame
    from torch import nn

    from xortune.problems.module.graphs import Graphs
    from xortune.problems.module.lesson import Material, ModuleLesson
    from xortune.problems.module.rows import Array
    from xortune.problems.table.recipe import Recipe
    from xortune.problems.table.table import Table

KIND = "module"

_ROWS_AT_ONCE = 1024


class RecordedModule:
    """The problem of a recorded study, without its code; see `xortune.problems.problem.Problem`.

    Its trials leave weights, but only the code makes a model of them.
    """

    data = ""
    has_models = False

    def __init__(self, spec: ProblemSpec) -> None:
        self.spec = spec

    def graph(self, params: Params) -> Sequence[GraphNode]:
        return ()

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

    def portable(self, params: Params, weights: Weights) -> Portable:
        """The `state_dict()`, which needs no code."""
        from xortune.problems.module.weights import state_of

        return Portable(state_of(weights), {})

    def examples(self, params: Params, weights: Weights) -> None:
        return None


class ModuleProblem(RecordedModule):
    """The problem of some code.

    Args:
        code: the code.
        parameters: those of its search space, or of a recorded study.
        table: from which it learns; None where the code brings its data.
        recipe: of that table, where it is enough: for trained models and what they answer.
        name: the problem's in a recorded study, whose file may have another name by now; None for
            its own, or else that of the file.

    Attributes:
        material: the code with the rows of its data.
        recorded: what a study records of it beside the spec: plain values, for reading.
        notes: for the user.

    Raises:
        UsageError: the data cannot be learnt from, or names are wrong; lists all faults.
    """

    def __init__(
        self,
        code: Code,
        parameters: Sequence[Parameter],
        table: Table | None = None,
        recipe: Recipe | None = None,
        name: str | None = None,
    ) -> None:
        spec, self.material = _spec_and_material(code, parameters, table, recipe)
        super().__init__(spec if name is None else replace(spec, problem=name))
        self.code = code
        self._recipe = recipe if table is None else table.recipe
        self.notes = code.notes
        self.recorded: Mapping[str, Any] = {
            **recorded_code(KIND, code),
            "data_digest": self.material.rows.digest,
            "test_rows": 0 if self.material.rows.x_test is None else len(self.material.rows.x_test),
        }
        if table is not None:
            self.data = table.name
            self.notes = (*code.notes, *table.notes)
            of_table = {"recipe": table.recipe.to_dict(), "table_digest": table.digest}
            self.recorded = {**self.recorded, **of_table}

    @cached_property
    def lesson(self) -> ModuleLesson:
        """The lesson, as a worker loads it."""
        from xortune.problems.module.lesson import load_lesson

        return load_lesson(self.material)

    @cached_property
    def _graphs(self) -> Graphs:
        from xortune.problems.module.graphs import Graphs

        return Graphs(self.lesson, keywords_of(self.code.problem.module.model))

    def graph(self, params: Params) -> Sequence[GraphNode]:
        """The functions that the module calls; empty where they cannot be recorded, once said."""
        return self._graphs.of(params)

    def model(self, params: Params, weights: Weights) -> nn.Module:
        """The trained model, in evaluation mode.

        Raises:
            XortuneError: the weights are those of another model.
        """
        from xortune.problems.module.weights import set_weights

        model = self.lesson.build(params)
        set_weights(model, weights)
        return model.eval()

    def predict(self, params: Params, weights: Weights, inputs: Any) -> DataFrame:
        """The predictions for new rows.

        Args:
            params: the trial's.
            weights: likewise.
            inputs: rows of the table from which it learns, as the table's own problem takes them;
                otherwise as `asked_rows` does.

        Returns:
            With the rows' index; the columns are as in `answers_of`.

        Raises:
            UsageError: the rows cannot be read, or the module does not take them.
        """
        from xortune.problems.module.answers import answers_of
        from xortune.problems.module.asked import asked_rows
        from xortune.problems.table.problem import TableProblem

        table = None
        if self._recipe is None:
            x = asked_rows(inputs, self.material.rows)
        else:
            table = TableProblem(self._recipe, self.data)
            x = table.prepared(inputs)
        module = self.code.problem.module
        index = inputs.index if hasattr(inputs, "iloc") else None
        outputs = self._outputs(params, weights, x)
        return answers_of(outputs, module.losses[module.loss], table, index)

    def portable(self, params: Params, weights: Weights) -> Portable:
        """The `state_dict()`; of a perceptron as a network, which can be an `.onnx` file, too."""
        from xortune.problems.module.exported import portable_module

        module, model = self.code.problem.module, self.model(params, weights)
        return portable_module(model, self.lesson.x, module.losses[module.loss], self._recipe)

    def _outputs(self, params: Params, weights: Weights, x: Array) -> Array:
        """The trained model's outputs for checked rows, some at a time."""
        import numpy as np
        import torch

        from xortune.problems.table.arithmetic import undisturbed

        model, parts = self.model(params, weights), []
        with undisturbed(), torch.inference_mode():
            for start in range(0, len(x), _ROWS_AT_ONCE):
                rows = torch.tensor(x[start : start + _ROWS_AT_ONCE])
                try:
                    parts.append(model(rows).numpy())
                except KeyboardInterrupt:
                    raise
                except BaseException as error:
                    named = self.code.named
                    raise UsageError(
                        f"{named}: the module fails on these rows: {self.lesson.words(error)}."
                    ) from None
        return np.concatenate(parts)

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


def _spec_and_material(
    code: Code, parameters: Sequence[Parameter], table: Table | None, recipe: Recipe | None
) -> tuple[ProblemSpec, Material]:
    """Raises UsageError with the faults of both."""
    spec, faults = None, []
    try:
        spec = module_spec(code.problem, name_of_file(code.file, KIND), parameters)
    except UsageError as error:
        faults += [f"{code.named}: {fault}" for fault in str(error).splitlines()]
    try:
        material = _material(code, table, recipe)
    except UsageError as error:
        faults.append(str(error))
    if spec is None or faults:
        raise UsageError("\n".join(faults))
    return spec, material


def _material(code: Code, table: Table | None, recipe: Recipe | None) -> Material:
    """The code as it travels, with the rows of a table, or of its data.

    Those of its data have to be the same again.

    Raises:
        UsageError: they are not, or it fails as it travels: a live object leaves behind what
            cloudpickle does not see.
    """
    from xortune.problems.module.lesson import Material, load_material

    travelled: Code = pickle.loads(pickle.dumps(code))
    as_numbers = "cross_entropy" not in code.problem.module.losses
    if table is None and recipe is not None:
        return Material(travelled, rows_like(recipe, as_numbers=as_numbers))
    if table is not None:
        all_rows, folds = rows_of_table(table, as_numbers=as_numbers)
        return Material(travelled, all_rows, folds)
    rows = load_material(code).rows
    if load_material(travelled).rows.digest != rows.digest:
        raise UsageError(
            f"{code.named}: data returns other rows at "
            "every call, so no study could be resumed. Draw them from a generator with a seed, "
            "such as numpy.random.default_rng(0)."
        )
    return Material(travelled, rows)


def _needs_code() -> UsageError:
    return UsageError(
        "a study keeps the weights of a module, and not the code that makes it: name it again, "
        f"with {option('problem', 'FILE.py')}."
    )
