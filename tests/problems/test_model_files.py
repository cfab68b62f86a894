"""Files of models, read back by the programs that they are for."""

import io
import json
import pickletools
import subprocess
import sys
import zipfile

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator
from safetensors.torch import load as read_safetensors

from tests.make import make_params, make_weights
from tests.problems.table.test_pictures import TASKS, frame, made
from xortune.errors import XortuneError
from xortune.problems.model_files import model_file
from xortune.problems.table.spec import ACTIVATIONS
from xortune.problems.xor.problem import XORProblem

ABOUT = {"study": "one", "trial": 3, "params": {"lr": 0.1, "note": "<b>ü"}}
NINE = (-7.485, -7.484, -9.21, -9.205, 11.19, 4.117, 19.39, -19.7, -9.419)


def outputs_of(content, rows):
    """What an ONNX file answers, by the name of its outputs."""
    model = onnx.load_model_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    # Its sigmoid computes two formulas, of which one does not count, and may overflow.
    with np.errstate(over="ignore", invalid="ignore"):
        found = ReferenceEvaluator(model).run(None, {"inputs": rows})
    return dict(zip([output.name for output in model.graph.output], found))


def metadata_of(content):
    model = onnx.load_model_from_string(content)
    return {prop.key: prop.value for prop in model.metadata_props}


def header_of(content):
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length])


@given(st.tuples(*[st.floats(-30, 30, width=32)] * 9))
@example((0, 0, 0, -30, 0, 29, 0, 0, 0))
@settings(max_examples=20)
def test_the_labs_network_is_read_back_with_its_answers(numbers):
    problem, weights = XORProblem("xor"), make_weights(numbers)
    model = problem.model(make_params(), weights)
    portable = problem.portable(make_params(), weights)
    rows = torch.tensor([[0.0, 0], [0, 1], [1, 1], [1, 0], [0.3, -2]])
    answers = outputs_of(model_file(portable, ".onnx", ABOUT), rows.numpy())
    with torch.inference_mode():
        assert answers["output"] == pytest.approx(model(rows).numpy(), abs=1e-6)
    state = read_safetensors(model_file(portable, ".safetensors", ABOUT))
    again = torch.load(io.BytesIO(model_file(portable, ".pt", ABOUT)), weights_only=True)
    for name, tensor in model.state_dict().items():
        assert torch.equal(state[name], tensor)
        assert torch.equal(again[name], tensor)
    assert [*again] == [*model.state_dict()]


@pytest.mark.parametrize("task", TASKS)
@given(st.sampled_from(ACTIVATIONS), st.integers(0, 4), st.integers(1, 12), st.integers(0, 7))
@settings(max_examples=15)
def test_the_network_of_a_table_is_read_back_with_its_answers(task, activation, depth, width, rows):
    problem, params, weights = made(task, activation=activation, depth=depth, width=width)
    portable = problem.portable(params, weights)
    x = problem.table.test.x[:rows]
    answers = outputs_of(model_file(portable, ".onnx", ABOUT), x)
    logits = problem.outputs(params, weights, x)
    predicted = problem.read(logits)
    if task == "regression":
        expected = predicted[["prediction"]].to_numpy()
        assert answers["prediction"] == pytest.approx(expected, rel=1e-6, abs=1e-6)
        return
    assert answers["logits"] == pytest.approx(logits, abs=1e-6)
    chances = predicted[[f"p_{name}" for name in problem.target.classes]].to_numpy()
    assert answers["probabilities"] == pytest.approx(chances, abs=1e-6)


def test_what_a_file_says_of_itself_prepares_its_inputs():
    problem, params, weights = made("binary", data=frame("binary", c=["u", "v", "w"] * 20))
    portable = problem.portable(params, weights)
    content = model_file(portable, ".onnx", ABOUT)
    about = metadata_of(content)
    row, x = {"a": 2.5, "b": 104, "c": "v"}, []
    for column in json.loads(about["columns"]):
        value = row[column["name"]]
        if column["kind"] == "number":
            x.append((value - column["mean"]) / column["scale"])
        else:
            x += [float(word == value) for word in column["words"]]
    assert len(x) == len(json.loads(about["inputs"]))
    answers = outputs_of(content, np.array([x], np.float32))
    predicted = problem.predict(params, weights, pd.DataFrame([row]))
    classes = json.loads(about["target"])["classes"]
    assert answers["probabilities"][0] == pytest.approx(
        [predicted[f"p_{name}"][0] for name in classes], abs=1e-6
    )


@pytest.mark.parametrize("ending", [".onnx", ".safetensors"])
def test_a_file_says_where_it_comes_from(ending):
    portable = XORProblem("lab").portable(make_params(), make_weights(NINE))
    content = model_file(portable, ending, ABOUT)
    about = metadata_of(content) if ending == ".onnx" else header_of(content)["__metadata__"]
    assert (about["study"], about["trial"], about["data"]) == ("one", "3", "lab")
    assert json.loads(about["params"]) == ABOUT["params"]
    assert json.loads(about["inputs"]) == ["x0", "x1"]
    assert "<b>" not in about["params"]


@pytest.mark.parametrize("ending", [".onnx", ".safetensors", ".pt"])
def test_a_file_is_the_same_every_time(ending):
    portable = XORProblem("lab").portable(make_params(), make_weights(NINE))
    assert len({model_file(portable, ending, ABOUT) for _ in range(4)}) == 1


@pytest.mark.parametrize(
    ("ending", "package"), [(".onnx", "onnx"), (".safetensors", "safetensors")]
)
def test_a_missing_package_is_named_with_the_remedy(monkeypatch, ending, package):
    for name in [*sys.modules]:
        if name.partition(".")[0] == package:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "xortune.problems.onnx_graph", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    portable = XORProblem("lab").portable(make_params(), make_weights(NINE))
    with pytest.raises(XortuneError, match=rf"{ending} files need the package {package}.*models"):
        model_file(portable, ending, ABOUT)


def test_a_state_dict_holds_tensors_alone():
    portable = XORProblem("lab").portable(make_params(), make_weights(NINE))
    with zipfile.ZipFile(io.BytesIO(model_file(portable, ".pt", ABOUT))) as file:
        name = next(name for name in file.namelist() if name.endswith("data.pkl"))
        names = [arg for op, arg, _ in pickletools.genops(file.read(name)) if op.name == "GLOBAL"]
    assert {*names} <= {
        "torch._utils _rebuild_tensor_v2", "torch FloatStorage", "collections OrderedDict",
    }  # fmt: skip


def test_problems_import_no_format_until_a_file_is_made():
    code = (
        "import sys; import xortune.studies.models, xortune.problems.xor.problem, "
        "xortune.problems.table.problem, xortune.problems.model_files; "
        "print({'onnx', 'safetensors', 'resvg_py', 'PIL'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
