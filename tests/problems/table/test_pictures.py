"""The model of a table as plain numbers: its layers, its plane, its answers worked out."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile import HOSTILE
from xortune.errors import UsageError
from xortune.problems.explained import plus
from xortune.problems.table.model import seeded_model, weights_of
from xortune.problems.table.problem import TableProblem
from xortune.problems.table.spec import ACTIVATIONS, table_spec
from xortune.problems.table.table import load_table

TASKS = ("regression", "binary", "classes")


def frame(task, **more):
    i = np.arange(60)
    a, b = i * 7 % 10 / 3, 100 + i * 11 % 13
    value = a + (b - 100) / 6 + 0.1 * (i % 4)
    y = {
        "regression": 1000 + 50 * value,
        "binary": np.where(value > 2.5, "yes", "no"),
        "classes": np.array(["low", "mid", "high"])[np.digitize(value, (2, 3))],
    }[task]
    return pd.DataFrame({"a": a, "b": b, **more, "y": y})


def made(task, with_rows=True, data=None, **values):
    """A problem, with an untrained model: its parameters and weights."""
    table = load_table(frame(task) if data is None else data, target="y", task=task)
    problem = TableProblem(table.recipe, table.name, table if with_rows else None)
    params = table_spec(task, "t.csv").assignment({"width": 4, "depth": 2, "seed": 1, **values})
    model = seeded_model(problem.inputs, problem.target.outputs, params)
    return problem, params, weights_of(model)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_layers_give_the_predictions(task, activation):
    problem, params, weights = made(task, activation=activation)
    network = problem.network(params, weights)
    x = problem.table.test.x
    values = torch.tensor(x, dtype=torch.float64)
    apply = {
        "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "": lambda z: z,
        "gelu": torch.nn.functional.gelu, "silu": torch.nn.functional.silu,
        "softmax": lambda z: torch.softmax(z, dim=1),
    }  # fmt: skip
    for layer in network.layers:
        sums = values @ torch.tensor(layer.weights).double().T + torch.tensor(layer.biases)
        values = apply[layer.activation](sums)
    predicted = problem.read(problem.outputs(params, weights, x))
    if task == "regression":
        own = network.unit_scale * values[:, 0] + network.unit_mean
        assert own.numpy() == pytest.approx(predicted["prediction"].to_numpy(), rel=1e-6)
    else:
        columns = predicted[list(network.outputs)].to_numpy()
        assert values.numpy() == pytest.approx(columns, abs=1e-6)


def test_inputs_and_outputs_have_the_names_of_columns():
    data = frame("classes", colour=np.array(["red", "blue"])[np.arange(60) % 2])
    problem, params, weights = made("classes", data=data)
    network = problem.network(params, weights)
    assert network.inputs == ("a", "b", "colour=blue", "colour=red")
    assert network.outputs == ("p_high", "p_low", "p_mid")
    assert made("regression")[0].network(*made("regression")[1:]).outputs == ("y",)


def test_a_model_of_millions_of_weights_is_not_described():
    problem, params, weights = made("binary", width=2000, depth=2)
    assert problem.network(params, weights) is None
    with pytest.raises(UsageError, match="more than 1,048,576 weights"):
        problem.explain(params, weights, frame("binary"))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("with_rows", [True, False])
def test_the_surface_has_the_predictions_in_own_units(task, with_rows):
    problem, params, weights = made(task, with_rows)
    surface = problem.surface(params, weights)
    places = [(0, 0), (10, 50), (96, 96), (5, 90)]
    inputs = pd.DataFrame({"a": [surface.xs[i] for i, _ in places],
                           "b": [surface.ys[j] for _, j in places]})  # fmt: skip
    answers = [surface.answers[j][i] for i, j in places]
    predicted = problem.predict(params, weights, inputs)
    if task == "regression":
        assert answers == pytest.approx(predicted["prediction"].tolist(), rel=1e-5)
    elif task == "binary":
        assert answers == pytest.approx(predicted["p_yes"].tolist(), abs=1e-6)
    else:
        named = [surface.classes[int(answer)] for answer in answers]
        assert named == predicted["prediction"].tolist()
    assert surface.boundary == (0.5 if task == "binary" else None)
    assert bool(surface.points) == with_rows


def test_the_points_are_the_training_rows():
    problem, params, weights = made("regression")
    surface = problem.surface(params, weights)
    rows = {tuple(np.round(row, 3)) for row in frame("regression")[["a", "b", "y"]].to_numpy()}
    assert len(surface.points) == problem.recipe.rows[0]
    assert {tuple(np.round(point, 3)) for point in surface.points} <= rows
    assert surface.xs[0] < min(x for x, _, _ in surface.points)
    assert surface.ys[-1] > max(y for _, y, _ in surface.points)


def test_of_many_rows_some_are_points():
    data = pd.concat([frame("binary")] * 40, ignore_index=True)
    problem, params, weights = made("binary", data=data)
    assert 200 < len(problem.surface(params, weights).points) <= 400


def test_missing_values_have_an_input_and_a_plane_all_the_same():
    data = frame("binary")
    data.loc[::7, "b"] = np.nan
    problem, params, weights = made("binary", data=data)
    assert problem.inputs == 3
    surface = problem.surface(params, weights)
    row = pd.DataFrame({"a": [surface.xs[3]], "b": [surface.ys[4]]})
    predicted = problem.predict(params, weights, row)["p_yes"]
    assert surface.answers[4][3] == pytest.approx(predicted[0], abs=1e-6)


@pytest.mark.parametrize("columns", [{"c": np.arange(60) % 9}, {"c": ["u", "v"] * 30}])
def test_other_columns_than_two_of_numbers_have_no_plane(columns):
    problem, params, weights = made("binary", data=frame("binary", **columns))
    assert problem.surface(params, weights) is None
    data = frame("binary").drop(columns="a").assign(w=["u", "v", "w"] * 20)
    problem, params, weights = made("binary", data=data)
    assert problem.surface(params, weights) is None


@pytest.mark.parametrize("task", TASKS)
@given(st.integers(0, 6), st.integers(1, 30), st.integers(0, 10))
@settings(max_examples=15)
def test_an_explanation_ends_with_the_prediction_of_the_first_row(task, depth, width, rows):
    problem, params, weights = made(task, depth=depth, width=width)
    data = frame(task).iloc[: rows + 1]
    predicted = problem.predict(params, weights, data).iloc[0]
    text = problem.explain(params, weights, data)
    assert max(map(len, text.splitlines())) <= 80
    if task == "regression":
        assert text.split()[-1] == repr(float(predicted["prediction"]))
    else:
        assert text.split()[-1] == predicted["prediction"]
        for name in problem.target.classes:
            assert f"p_{name} = {float(predicted[f'p_{name}'])!r}\n" in text


def test_an_explanation_shows_the_first_and_last_of_large_layers():
    problem, params, weights = made("binary", width=40, depth=1)
    text = problem.explain(params, weights, frame("binary").iloc[:1])
    units = [line.split()[0] for line in text.splitlines() if line.startswith("h")]
    assert units == ["h0", "h1", "h2", "h39"]
    assert "... and 36 more" in text


def test_a_long_sum_shows_its_largest_terms():
    problem, params, weights = made("binary", width=40, depth=1)
    row = frame("binary").iloc[:1]
    first, last = problem.network(params, weights).layers
    x = np.array([(row[c.name][0] - c.mean) / c.scale for c in problem.recipe.columns])
    hidden = np.maximum(np.array(first.weights) @ x + np.array(first.biases), 0)
    places = sorted(np.argsort(-np.abs(np.array(last.weights[0]) * hidden))[:4])
    terms = " + ".join(f"w0_{place} * h{place}" for place in places)
    text = problem.explain(params, weights, row)
    assert f"z0 = {terms} + ... + b0\n" in text


def test_numbers_are_subtracted_without_two_signs_and_long_names_leave_their_formulas():
    long = "l" * 90
    data = frame("regression", **{long: np.arange(60) % 9})
    data["a"], data["y"] = data["a"] - 10, data["y"] - 5000
    problem, params, weights = made("regression", data=data)
    text = problem.explain(params, weights, data.iloc[:1])
    assert " a: (value + " in text
    assert f" {'l' * 27}...: (value - " in text
    assert re.search(r"^In the target's own units: \S+ \* \S+ - \d", text, re.MULTILINE)
    assert "- -" not in text
    assert plus(-0.0) == " + 0"


def test_data_without_a_row_has_nothing_to_explain():
    problem, params, weights = made("binary")
    with pytest.raises(UsageError, match=r"row"):
        problem.explain(params, weights, frame("binary").iloc[:0])


def test_names_from_anywhere_stay_on_their_lines():
    columns = {name: np.arange(60) * (k + 2) % 11 for k, name in enumerate(HOSTILE[:8])}
    problem, params, weights = made("binary", data=frame("binary", **columns))
    text = problem.explain(params, weights, frame("binary", **columns).iloc[:1])
    assert all(line.isprintable() and len(line) <= 80 for line in text.splitlines())
