"""`export-model` and `predict` on studies of a module: its weights need no code, its answers do."""

import io

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from safetensors import safe_open

import xortune
from tests.cli.commands import call, contents
from tests.declared_modules import MOONS
from tests.problems.table.test_pictures import frame
from xortune.problems.table.table import load_table

# Words, of which there are three.
WORDS = """
import torch
from torch import nn

import xortune


def model():
    return nn.Sequential(nn.Embedding(3, 2), nn.Flatten(), nn.Linear(2, 1))


def data():
    x = torch.arange(12)[:, None] % 3
    return xortune.Split(x, x.float(), x, x.float())


problem = xortune.Problem(model=model, data=data, loss="mse", space={"epochs": {"value": 1}})
"""


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


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """A module that is no perceptron, beside the file of its code."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "words.py").write_text(WORDS)
    return xortune.search(
        problem=folder / "words.py", trials=1, name="words", results=folder, runner="inline",
        confirm="none",
    )  # fmt: skip


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


def test_export_model_says_why_there_is_no_onnx_file(capsys, moons, words, tmp_path):
    code = ("--problem", words.paths.folder.parent / "words.py")
    for study, more in ((moons, ()), (words, code)):
        answer = call(capsys, "export-model", study.paths.folder, tmp_path / "one.onnx", *more)
        assert (answer.code, answer.out) == (2, "")
        assert "only where it is a multilayer perceptron, and its code is named" in answer.err
        assert "Write .safetensors or .pt" in answer.err
    assert contents(tmp_path) == {}


def test_a_perceptron_is_written_as_onnx_if_its_code_is_named(capsys, moons, file, tmp_path):
    number, written = moons.best_number, tmp_path / "one.onnx"
    assert call(capsys, "export-model", moons.paths.folder, written, "--problem", file).code == 0
    rows = np.linspace(-2, 2, 10, dtype=np.float32).reshape(5, 2)
    logits, chances = ReferenceEvaluator(onnx.load(written)).run(None, {"inputs": rows})
    expected = moons.model(number, problem=file)(torch.tensor(rows)).detach().numpy()
    assert logits == pytest.approx(expected, abs=1e-6)
    predicted = moons.predict(number, rows, problem=file)
    assert chances == pytest.approx(predicted[["p_0", "p_1"]].to_numpy(), abs=1e-6)


@pytest.fixture(scope="module")
def of_a_table(tmp_path_factory):
    """A module that learns from a table, with the table's file and that of its code."""
    folder = tmp_path_factory.mktemp("table")
    frame("classes").to_csv(folder / "rows.csv", index=False)
    code = MOONS.replace('"bce_with_logits"', '"cross_entropy"').replace("    data=data,\n", "")
    code = code.replace("(output[:, 0] > 0) == (target > 0)", "output.argmax(1) == target")
    (folder / "net.py").write_text(code)
    study = xortune.search(
        problem=folder / "net.py", data=folder / "rows.csv", target="y", trials=2, name="table",
        results=folder, runner="inline", confirm="none",
    )  # fmt: skip
    return study, folder


def test_predict_asks_a_module_by_rows_like_those_of_its_data(capsys, moons, file, tmp_path):
    rows = np.array([[0.5, 0.25], [1.0, -1.0]], np.float32)
    np.save(tmp_path / "rows.npy", rows)
    folder, code = moons.paths.folder, ("--problem", file)
    answer = call(capsys, "predict", folder, "--data", tmp_path / "rows.npy", *code)
    assert (answer.code, answer.err) == (0, "")
    found = pd.read_csv(io.StringIO(answer.out))
    chances = moons.model(moons.best_number, problem=file)(torch.tensor(rows)).sigmoid()[:, 0]
    assert list(found.columns) == ["prediction", "p_0", "p_1"]
    assert found["p_1"].to_numpy() == pytest.approx(chances.detach().numpy(), abs=1e-6)
    written, which = tmp_path / "one.csv", ("--trial", 0)
    again = call(
        capsys, "predict", folder, "--data", tmp_path / "rows.npy", *code, *which,
        "--output", written,
    )  # fmt: skip
    assert again == (0, "", "")
    assert len(pd.read_csv(written)) == 2


def test_predict_needs_no_table_for_a_module_that_has_learnt_from_one(capsys, of_a_table):
    study, folder = of_a_table
    new = frame("classes").drop(columns="y").head(5)
    new.to_csv(folder / "new.csv", index=False)
    (folder / "rows.csv").rename(folder / "away.csv")
    try:
        answer = call(
            capsys, "predict", study.paths.folder, "--data", folder / "new.csv",
            "--problem", folder / "net.py",
        )  # fmt: skip
        model = study.model(study.best_number, problem=folder / "net.py")
    finally:
        (folder / "away.csv").rename(folder / "rows.csv")
    assert (answer.code, answer.err) == (0, "")
    found = pd.read_csv(io.StringIO(answer.out))
    recipe = load_table(folder / "rows.csv", target="y").recipe
    x, _ = recipe.prepare(new)
    best = model(torch.tensor(x)).argmax(1).tolist()
    assert found["prediction"].tolist() == [recipe.target.classes[place] for place in best]
    assert list(found.columns) == ["prediction", *(f"p_{c}" for c in recipe.target.classes)]


def test_a_page_of_a_module_on_a_table_has_no_test_rows(capsys, of_a_table):
    study, folder = of_a_table
    answer = call(capsys, "report", study.paths.folder, "--html", "--data", folder / "rows.csv")
    assert (answer.code, answer.out) == (2, "")
    assert "study table searches a module of your own. Leave --data out." in answer.err
    assert call(capsys, "report", study.paths.folder, "--html").code == 0


def test_what_a_module_prints_is_no_prediction(capsys, tmp_path):
    file = tmp_path / "loud.py"
    file.write_text(MOONS.replace("def data():", 'print("loaded")\n\n\ndef data():'))
    study = xortune.search(
        problem=file, trials=1, name="loud", results=tmp_path, runner="inline", confirm="none"
    )
    np.save(tmp_path / "rows.npy", np.zeros((1, 2)))
    answer = call(
        capsys, "predict", study.paths.folder, "--data", tmp_path / "rows.npy", "--problem", file
    )
    assert answer.out.splitlines()[0] == "prediction,p_0,p_1"
    assert len(answer.out.splitlines()) == 2
    assert "loaded" in answer.err


def test_best_shows_the_command_that_asks_its_module(capsys, moons):
    answer = call(capsys, "best", moons.paths.folder)
    command = f"predict {moons.paths.folder} --data NEW.csv --problem moons.py"
    assert answer.out.splitlines()[-1].endswith(command)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["0", "1"], "study moons searches a module: give --data FILE, and --problem FILE.py."),
        ([], "give a row of inputs, such as 0 1, or for a table or a module --data FILE."),
        (["--data", "rows.npy"], "not the code that makes it: name it again, with --problem FILE"),
        (["--data", "wide.npy", "--problem", "moons.py"],
         "wide.npy: has the shape (2, 3), and the model takes rows of shape (2,)."),
        (["--data", "none.npy", "--problem", "moons.py"], "none.npy cannot be read: No such file"),
        (["--data", "rows.npy", "--problem", "other.py"],
         "has another text than when the study began"),
        (["--data", "rows.npy", "--problem", "moons.py", "--explain"], "has no explanation"),
    ],
)  # fmt: skip
def test_what_a_module_cannot_be_asked_is_said(capsys, moons, tmp_path, monkeypatch, argv, said):
    monkeypatch.chdir(tmp_path)
    np.save("rows.npy", np.zeros((2, 2)))
    np.save("wide.npy", np.zeros((2, 3)))
    (tmp_path / "moons.py").write_text(MOONS)
    (tmp_path / "other.py").write_text(f"{MOONS}# changed\n")
    before = contents(moons.paths.folder)
    answer = call(capsys, "predict", moons.paths.folder, *argv)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert contents(moons.paths.folder) == before


def test_rows_that_the_module_fails_on_are_said_with_its_line(capsys, words, tmp_path):
    np.save(tmp_path / "rows.npy", np.array([[9]]))
    folder = words.paths.folder
    code = ("--problem", folder.parent / "words.py")
    answer = call(capsys, "predict", folder, "--data", tmp_path / "rows.npy", *code)
    assert (answer.code, answer.out) == (2, "")
    assert "the module fails on these rows: IndexError: index out of range" in answer.err
