"""The forward pass of a table's model for one row, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xortune.errors import UsageError
from xortune.network import MOST_NUMBERS, Network
from xortune.problems.explained import (
    Pass,
    digits,
    explained,
    listed_inputs,
    plus,
    short_name,
    shown_places,
    step,
)
from xortune.problems.table.preparation import NumberColumn
from xortune.problems.table.rows import Target
from xortune.trial import Params, Weights

if TYPE_CHECKING:
    from pandas import Series

    from xortune.problems.table.problem import TableProblem
    from xortune.problems.table.recipe import Recipe

_MOST_CLASSES = 6


def explanation(
    problem: TableProblem, params: Params, weights: Weights, x: NDArray[np.float32]
) -> str:
    """The forward pass for the first of some prepared rows, ending with its prediction.

    Args:
        problem: the table.
        params: the trial's.
        weights: likewise.
        x: the rows, `(n, d)`.

    Raises:
        UsageError: there is no row, or the model is too large.
        XortuneError: the weights are those of another model.
    """
    network = problem.network(params, weights)
    if network is None:
        raise UsageError(f"explain: the model has more than {MOST_NUMBERS:,} weights.")
    if not len(x):
        raise UsageError("explain: the data has no row. Give one.")
    network = _until_outputs(network)
    inputs = x[0].tolist()
    # All rows at once, as predictions are: the bits may depend on their number.
    outputs = problem.outputs(params, weights, x)
    passes = [*_passes(problem, params, weights, x[:1])]
    prediction = problem.read(outputs).iloc[0]
    lines = [
        *([f"the first of {len(x):,} rows"] if len(x) > 1 else []),
        *listed_inputs(network, inputs, _notes(problem.recipe)),
        *explained(network, inputs, passes),
        "",
        *_reading(problem.recipe.target_name, problem.target, outputs[0].tolist(), prediction),
    ]
    return "\n".join(lines) + "\n"


def _until_outputs(network: Network) -> Network:
    """The network whose last layer ends with its sums, as the model itself does."""
    *hidden, last = network.layers
    names = tuple(f"z{place}" for place in range(len(last.biases)))
    return replace(network, outputs=names, layers=(*hidden, last._replace(activation="")))


def _passes(
    problem: TableProblem, params: Params, weights: Weights, row: NDArray[np.float32]
) -> Iterator[Pass]:
    """The numbers of each layer for one row, `(1, d)`."""
    import torch
    from torch.nn.functional import linear

    from xortune.problems.table.arithmetic import undisturbed
    from xortune.problems.table.model import activate, aligned

    layers = problem.model(params, weights).pairs
    with undisturbed(), torch.inference_mode():
        values = aligned(row)
        for place, (weight, bias) in enumerate(layers):
            sums = linear(values, weight, bias)
            last = place == len(layers) - 1
            values = sums if last else activate(str(params["activation"]))(sums)
            yield Pass(sums[0].tolist(), values[0].tolist())


def _notes(recipe: Recipe) -> list[str]:
    """What each prepared input is."""
    notes = []
    for column in recipe.columns:
        for name in column.input_names:
            # A long name leaves room for its formula.
            shown = short_name(name)
            if isinstance(column, NumberColumn) and name == column.name:
                moved = f"(value{plus(-column.mean)}) / {digits(column.scale)}"
                notes.append(f"{shown}: {moved}")
            else:
                notes.append(f"{shown}: 1 if so, else 0")
    return notes


def _reading(name: str, target: Target, outputs: list[float], prediction: Series) -> Iterator[str]:
    """What the outputs say, with all digits of the prediction."""
    if target.task == "regression":
        scaled = f"{digits(outputs[0])} * {digits(target.scale)}"
        yield f"In the target's own units: {scaled}{plus(target.mean)}"
        yield ""
        yield from step(short_name(name), repr(float(prediction["prediction"])))
        return
    if target.task == "binary":
        formula = "1 / (1 + exp(-z0))"
    else:
        formula = "exp(z) / (the sum of exp(z) over all classes)"
    yield f"Probabilities: {formula}"
    yield ""
    for place in shown_places(len(target.classes), _MOST_CLASSES):
        if place is None:
            yield f"... and {len(target.classes) - _MOST_CLASSES:,} more"
        else:
            of_class = f"p_{target.classes[place]}"
            yield from step(short_name(of_class), repr(float(prediction[of_class])))
    yield ""
    yield from step(short_name(name), short_name(str(prediction["prediction"])))
