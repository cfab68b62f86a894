"""A table of data as a `Problem`: its models, predictions for new rows, and the test rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xortune.errors import UsageError
from xortune.network import Network, Surface
from xortune.problems.portable import PortableNetwork
from xortune.problems.table.explained import explanation
from xortune.problems.table.exported import portable_of
from xortune.problems.table.measures import measured
from xortune.problems.table.pictures import network_of, surface_of
from xortune.problems.table.spec import table_spec
from xortune.spec import GraphNode
from xortune.trial import Answers, Params, Weights

if TYPE_CHECKING:
    from pandas import DataFrame

    from xortune.problems.table.model import MLP
    from xortune.problems.table.recipe import Recipe
    from xortune.problems.table.rows import Rows
    from xortune.problems.table.table import Table

_log = logging.getLogger("xortune")

PREDICTION = "prediction"


class TableProblem:
    """See `xortune.problems.problem.Problem`.

    Args:
        recipe: how rows are prepared.
        name: of the data, such as `wine.csv`.
        table: the prepared rows; None where only models are needed, as for predictions.
    """

    has_models = True

    def __init__(self, recipe: Recipe, name: str, table: Table | None = None) -> None:
        self.recipe = recipe
        self.data = name
        self.table = table
        self.target = recipe.target
        self.spec = table_spec(recipe.target.task, name)

    @property
    def inputs(self) -> int:
        return self.recipe.inputs

    def graph(self, params: Params) -> Sequence[GraphNode]:
        return ()

    def model(self, params: Params, weights: Weights) -> MLP:
        """The trained model: prepared rows, `(B, inputs)`, to numbers or logits.

        Raises:
            XortuneError: the weights are those of another model.
        """
        from xortune.problems.table.model import trained_model

        return trained_model(self.inputs, self.target.outputs, params, weights)

    def predict(self, params: Params, weights: Weights, inputs: Any) -> DataFrame:
        """The predictions for new rows; logs what was made of missing and unknown values.

        Args:
            params: the trial's.
            weights: likewise.
            inputs: rows like those of the data, as `load_table` takes them; no target is needed.

        Returns:
            With the rows' index, and the column `prediction`: in the target's own units, or the
            name of a class; for classes also a column `p_CLASS` with the probability of each.

        Raises:
            UsageError: the rows cannot be read, or have none of the columns.
        """
        x = self.prepared(inputs)
        index = inputs.index if hasattr(inputs, "iloc") else None
        return self.read(self.outputs(params, weights, x), index)

    def outputs(
        self, params: Params, weights: Weights, x: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The trained model's numbers or logits for prepared rows: `(n, d)` to `(n, outputs)`.

        Raises:
            XortuneError: the weights are those of another model.
        """
        from xortune.problems.table.arithmetic import undisturbed
        from xortune.problems.table.model import activate, measured_outputs

        with undisturbed():
            layers = self.model(params, weights).pairs
            return measured_outputs(layers, activate(str(params["activation"])), x)

    def read(self, outputs: NDArray[np.float32], index: Any = None) -> DataFrame:
        """What a model's outputs, `(n, outputs)`, say: see `predict`."""
        if self.target.task == "regression":
            return predictions_frame({PREDICTION: self._in_own_units(outputs)}, index)
        chances = probabilities(outputs)
        places = self._classes(outputs)
        names = self.target.classes
        columns: dict[str, Any] = {PREDICTION: [names[place] for place in places.tolist()]}
        columns |= {f"p_{name}": chances[:, place] for place, name in enumerate(names)}
        return predictions_frame(columns, index)

    def examples(self, params: Params, weights: Weights) -> None:
        """None: a study does not keep the rows of a table."""

    def tested(self, params: Params, weights: Weights) -> dict[str, float]:
        """The table's metrics on the test rows, which no search sees.

        Raises:
            UsageError: the problem was made without its table.
        """
        test = self._test_rows()
        return measured(self.target, self.outputs(params, weights, test.x), test.y)

    def network(self, params: Params, weights: Weights) -> Network | None:
        return network_of(self.recipe, params, weights)

    def surface(self, params: Params, weights: Weights) -> Surface | None:
        return surface_of(self, params, weights)

    def explain(self, params: Params, weights: Weights, inputs: Any) -> str:
        """The forward pass for the first of some rows, as `predict` takes them."""
        return explanation(self, params, weights, self.prepared(inputs))

    def portable(self, params: Params, weights: Weights) -> PortableNetwork:
        """The model from prepared inputs to its outputs, and what both mean."""
        state = self.model(params, weights).state_dict()
        return portable_of(self.recipe, state, str(params["activation"]))

    def prepared(self, inputs: Any) -> NDArray[np.float32]:
        """New rows as the model takes them, `(n, d)`; logs what was made of missing values."""
        from xortune.problems.table.reading import read_frame

        x, notes = self.recipe.prepare(read_frame(inputs, self.recipe.text_columns))
        for note in notes:
            _log.warning(note)
        return x

    def test_answers(self, params: Params, weights: Weights) -> Answers:
        """The truth and the prediction of every test row.

        Raises:
            UsageError: the problem was made without its table.
        """
        test = self._test_rows()
        outputs = self.outputs(params, weights, test.x)
        classes = self.target.classes
        if self.target.task == "regression":
            answers = self._in_own_units(outputs)
            truths = self._in_own_units(test.y[:, None])
        else:
            answers = self._classes(outputs).astype(np.float64)
            truths = test.y.astype(np.float64)
        return Answers(
            self.recipe.target_name, classes, tuple(truths.tolist()), tuple(answers.tolist())
        )

    def _test_rows(self) -> Rows:
        if self.table is None:
            raise UsageError(f"the test rows of {self.data} are needed: name the data again.")
        return self.table.test

    def _classes(self, outputs: NDArray[np.float32]) -> NDArray[np.int64]:
        """The place of each row's class, by the same rule as in `measures`."""
        # On logits, which rounding cannot make equal.
        if self.target.task == "binary":
            return (outputs[:, 0] > 0).astype(np.int64)
        places: NDArray[np.int64] = outputs.argmax(axis=1)
        return places

    def _in_own_units(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        numbers: NDArray[np.float64] = outputs[:, 0].astype(np.float64)
        return numbers * self.target.scale + self.target.mean


def predictions_frame(columns: Mapping[str, Any], index: Any = None) -> DataFrame:
    """Columns of predictions, with the rows' index; None counts them."""
    import pandas

    return pandas.DataFrame(columns, index)


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """The probabilities of the classes, `(n, classes)`: of two for one logit, else softmax."""
    doubles = logits.astype(np.float64)
    if doubles.shape[1] == 1:
        doubles = np.hstack((np.zeros_like(doubles), doubles))
    with np.errstate(all="ignore"):
        powers = np.exp(doubles - doubles.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares
