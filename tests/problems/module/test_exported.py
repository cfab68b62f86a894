"""Trained modules for other programs: a perceptron is a network whose outputs mean something."""

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from torch import nn

from tests.problems.table.test_pictures import frame
from xortune.problems.model_files import model_file
from xortune.problems.module.answers import answers_of
from xortune.problems.module.exported import portable_module
from xortune.problems.portable import PortableNetwork
from xortune.problems.table.problem import TableProblem
from xortune.problems.table.table import load_table


def own(output, target):
    return (output - target).abs().mean()


def perceptron(outputs):
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(2, 5), nn.SiLU(), nn.Linear(5, outputs)).eval()


def answered(portable, rows):
    model = onnx.load_model_from_string(model_file(portable, ".onnx", {}))
    found = ReferenceEvaluator(model).run(None, {"inputs": rows})
    return dict(zip([output.name for output in model.graph.output], found))


@pytest.mark.parametrize(
    ("loss", "outputs", "names"),
    [
        ("huber", 1, ["prediction"]), ("mse", 2, ["outputs"]), (own, 1, ["outputs"]),
        ("bce_with_logits", 1, ["logits", "probabilities"]),
        ("cross_entropy", 3, ["logits", "probabilities"]),
    ],
)  # fmt: skip
def test_outputs_are_those_of_predictions(loss, outputs, names):
    rows, module = np.linspace(-2, 2, 20, dtype=np.float32).reshape(10, 2), perceptron(outputs)
    found = answered(portable_module(module, torch.tensor(rows), loss, None), rows)
    raw = module(torch.tensor(rows)).detach().numpy()
    assert list(found) == names
    assert found[names[0]] == pytest.approx(raw, abs=1e-6)
    if "probabilities" in found:
        columns = answers_of(raw, loss, None, None).drop(columns="prediction")
        assert found["probabilities"] == pytest.approx(columns.to_numpy(), abs=1e-6)


@pytest.mark.parametrize(
    ("task", "loss", "outputs"),
    [("regression", "mae", 1), ("binary", "bce_with_logits", 1), ("classes", "cross_entropy", 3)],
)
def test_those_of_a_table_are_in_its_own_units_and_names(task, loss, outputs):
    table = load_table(frame(task), target="y")
    rows, module = table.training.x, perceptron(outputs)
    portable = portable_module(module, torch.tensor(rows), loss, table.recipe)
    raw = module(torch.tensor(rows)).detach().numpy()
    predicted = answers_of(raw, loss, TableProblem(table.recipe, "t.csv"), None)
    found = answered(portable, rows)
    assert portable.inputs == ("a", "b")
    assert portable.facts["target"] == table.recipe.to_dict()["target"]
    if task == "regression":
        assert found["prediction"][:, 0] == pytest.approx(predicted["prediction"].to_numpy())
    else:
        columns = predicted.drop(columns="prediction").to_numpy()
        assert found["probabilities"] == pytest.approx(columns, abs=1e-6)


def test_two_logits_of_a_table_of_two_classes_stay_two():
    table = load_table(frame("binary"), target="y")
    rows = table.training.x
    portable = portable_module(perceptron(2), torch.tensor(rows), "cross_entropy", table.recipe)
    assert answered(portable, rows)["probabilities"].shape == (len(rows), 2)


def test_another_module_has_its_weights_alone():
    module = nn.Sequential(nn.Conv1d(1, 2, 2), nn.Flatten(), nn.Linear(2, 1))
    portable = portable_module(module, torch.ones(9, 1, 2), "mse", None)
    assert not isinstance(portable, PortableNetwork)
    assert list(portable.state) == list(module.state_dict())
