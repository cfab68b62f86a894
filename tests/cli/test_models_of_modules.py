"""`export-model` and `predict` on studies of a module: its weights need no code, its answers do."""

import pytest
import torch
from safetensors import safe_open

import xortune
from tests.cli.commands import call, contents
from tests.declared_modules import MOONS


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("code") / "moons.py"
    file.write_text(MOONS)
    return file


@pytest.fixture(scope="module")
def moons(file, tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    return xortune.search(
        problem=file, trials=4, name="moons", results=results, runner="inline", confirm="none"
    )


def test_export_model_writes_the_weights_without_the_code(capsys, moons, file, tmp_path):
    folder, number = moons.paths.folder, moons.best_number
    written, tensors = tmp_path / "one.pt", tmp_path / "one.safetensors"
    assert call(capsys, "export-model", folder, written) == (0, "", "")
    assert call(capsys, "export-model", folder, tensors, "--trial", number) == (0, "", "")
    model = moons.model(number, problem=file)
    state = torch.load(written, weights_only=True)
    assert list(state) == list(model.state_dict())
    assert all(torch.equal(state[name], tensor) for name, tensor in model.state_dict().items())
    with safe_open(tensors, "pt") as found:
        assert all(torch.equal(found.get_tensor(name), state[name]) for name in state)
        about = found.metadata()
    assert (about["study"], about["trial"]) == ("moons", str(number))
    assert "activation" not in about


def test_export_model_says_why_there_is_no_onnx_file(capsys, moons, tmp_path):
    answer = call(capsys, "export-model", moons.paths.folder, tmp_path / "one.onnx")
    assert (answer.code, answer.out) == (2, "")
    assert "a module of your own is not written as .onnx, since a study keeps" in answer.err
    assert "Write .safetensors or .pt" in answer.err
    assert contents(tmp_path) == {}
