"""The model of a table as its layers, and its answers over the plane of its two columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xortune.network import MOST_NUMBERS, Layer, Network, Row, Surface
from xortune.problems.table.preparation import NumberColumn, standardised
from xortune.problems.table.rows import Target
from xortune.problems.table.weights import arrays_of
from xortune.trial import Params, Weights

if TYPE_CHECKING:
    from xortune.problems.table.problem import TableProblem
    from xortune.problems.table.recipe import Recipe

BOUNDARY = 0.5  # of the probability of the second of two classes
_POINTS, _POINTS_OF_CLASSES = 97, 241  # along each axis; between classes nothing is smooth
_MOST_ROWS = 400  # shown of the training rows
_SCALES = 2.5  # shown on each side of the mean where the rows are not at hand
_MARGIN = 0.06  # of the range of the rows, beyond their ends
# What turns a model's outputs into probabilities.
_READ = {"regression": "", "binary": "sigmoid", "classes": "softmax"}


def network_of(recipe: Recipe, params: Params, weights: Weights) -> Network | None:
    """The layers of a model, from the prepared inputs to its number or probabilities.

    None if it has more than `MOST_NUMBERS` weights.

    Raises:
        XortuneError: the weights are those of another model.
    """
    target = recipe.target
    arrays = arrays_of(recipe.inputs, target.outputs, params, weights)
    if sum(array.size for array in arrays) > MOST_NUMBERS:
        return None
    last = len(arrays) // 2 - 1
    layers = tuple(
        Layer(
            f"layers.{place}",
            tuple(map(tuple, weight.tolist())),
            tuple(bias.tolist()),
            _READ[target.task] if place == last else str(params["activation"]),
        )
        for place, (weight, bias) in enumerate(zip(arrays[::2], arrays[1::2]))
    )
    outputs = output_names(recipe.target_name, target)
    return Network(recipe.input_names, outputs, layers, target.scale, target.mean)


def output_names(target_name: str, target: Target) -> tuple[str, ...]:
    """The names of a model's outputs, as `predict` has them, once they are probabilities."""
    if target.task == "regression":
        return (target_name,)
    return tuple(f"p_{name}" for name in target.classes[-target.outputs :])


class _Axis(NamedTuple):
    """A column of numbers along an axis: its values there, and those of the rows shown."""

    column: NumberColumn
    at: NDArray[np.float64]  # (n,)
    of_rows: NDArray[np.float64]  # (r,)


def surface_of(problem: TableProblem, params: Params, weights: Weights) -> Surface | None:
    """The answers over the plane of two columns of numbers, in their own units.

    Around the training rows where the problem has its table, otherwise around the columns' means.
    None for other columns than two of numbers.

    Raises:
        XortuneError: the weights are those of another model.
    """
    from xortune.problems.table.problem import probabilities

    columns = [c for c in problem.recipe.columns if isinstance(c, NumberColumn)]
    if not len(columns) == len(problem.recipe.columns) == 2:
        return None
    across, up = (_axis(problem, column) for column in columns)
    outputs = problem.outputs(params, weights, _plane(across, up))
    target, name = problem.target, problem.recipe.target_name
    answers = target.scale * outputs[:, 0].astype(np.float64) + target.mean
    boundary = None
    if target.task == "binary":
        answers, boundary = probabilities(outputs)[:, 1], BOUNDARY
        name = f"p_{target.classes[1]}"
    elif target.task == "classes":
        answers = outputs.argmax(axis=1).astype(np.float64)
    rows = answers.reshape(len(up.at), len(across.at)).tolist()
    return Surface(
        (across.column.name, up.column.name),
        _row(across.at),
        _row(up.at),
        tuple(map(tuple, rows)),
        boundary,
        tuple(zip(_row(across.of_rows), _row(up.of_rows), _targets(problem))),
        name,
        target.classes,
    )


def _axis(problem: TableProblem, column: NumberColumn) -> _Axis:
    """The values along an axis; rows have them in the column's own units again."""
    if problem.table is None:
        reach = _SCALES * column.scale
        at = np.linspace(column.mean - reach, column.mean + reach, _points(problem))
        return _Axis(column, at, np.empty(0))
    place = problem.recipe.input_names.index(column.name)
    x = problem.table.training.x[:, place].astype(np.float64)
    own = x * column.scale + column.mean
    margin = _MARGIN * (own.max() - own.min()) or column.scale
    at = np.linspace(own.min() - margin, own.max() + margin, _points(problem))
    return _Axis(column, at, own[_shown(len(own))])


def _points(problem: TableProblem) -> int:
    return _POINTS_OF_CLASSES if problem.target.task == "classes" else _POINTS


def _plane(across: _Axis, up: _Axis) -> NDArray[np.float32]:
    """The prepared inputs of all points, row after row of the plane; none is missing."""
    first = standardised(np.tile(across.at, len(up.at)), across.column.mean, across.column.scale)
    second = standardised(np.repeat(up.at, len(across.at)), up.column.mean, up.column.scale)
    present = np.zeros_like(first)
    inputs = []
    for column, values in ((across.column, first), (up.column, second)):
        inputs += [values, *[present] * column.indicator]
    return np.stack(inputs, axis=1)


def _shown(count: int) -> slice:
    """Some of the training rows, evenly over the table."""
    return slice(0, count, math.ceil(count / _MOST_ROWS) or 1)


def _targets(problem: TableProblem) -> Row:
    """The targets of the rows that are shown: numbers in their own units, or those of classes."""
    if problem.table is None:
        return ()
    y = problem.table.training.y.astype(np.float64)
    own = y * problem.target.scale + problem.target.mean
    return _row(own[_shown(len(own))])


def _row(values: NDArray[np.float64]) -> Row:
    return tuple(values.tolist())
