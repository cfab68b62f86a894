"""What a study makes of its trained models: drawings, files, explanations."""

import io
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from PIL import Image

import xortune
from tests.problems.table.test_pictures import frame
from xortune.errors import UsageError, XortuneError
from xortune.network import Network

DIVERGING = {"epochs": {"value": 50}, "seed": {"value": 5}, "loss_fn": {"value": "bce_with_logits"}}
SPACE = {"width": {"value": 3}, "epochs": {"value": 2}, "lr": {"value": 0.01}}

QUICK = {"runner": "inline", "confirm": "none"}
# As for a disk that is full, a write then fails instead of killing the process.
IGNORE = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"


def train(config, report):
    return {"loss": config["x"] ** 2}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def lab(results):
    """A study of the lab's problem; one of its trials has failed."""
    space = {"lr": {"values": [1.0, 2.0, 3e38]}, **DIVERGING}
    return xortune.search(space, trials=3, name="lab", results=results, **QUICK)


@pytest.fixture(scope="module")
def table(results):
    return xortune.search(
        SPACE, data=frame("binary"), target="y", trials=1, name="table", results=results, **QUICK
    )


@pytest.fixture(scope="module")
def function(results):
    problem = xortune.Problem(train=train, space={"x": {"min": 0.0, "max": 1.0}})
    return xortune.search(problem=problem, trials=1, name="f", results=results, **QUICK)


def failed(study):
    return int(study.trials.query("state == 'FAIL'")["number"].iloc[0])


def test_the_best_trial_is_the_default(lab):
    best = lab.best_number
    assert isinstance(lab.network(), Network)
    assert lab.network() == lab.network(best)
    other = next(n for n in range(3) if n not in (best, failed(lab)))
    assert lab.network() != lab.network(other)
    assert lab.surface() == lab.surface(best)
    assert lab.explain([0, 1]) == lab.explain([0, 1], best)


def test_the_network_has_the_weights_of_the_model(lab, table):
    for study in (lab, table):
        state = study.model(study.best_number).state_dict()
        for layer in study.network().layers:
            assert [[*row] for row in layer.weights] == state[f"{layer.name}.weight"].tolist()
            assert [*layer.biases] == state[f"{layer.name}.bias"].tolist()


def test_the_rows_of_a_table_are_in_the_picture_if_it_is_named(table):
    assert table.surface().points == ()
    assert len(table.surface(data=frame("binary")).points) == 36
    other = frame("binary").assign(a=1.5)
    with pytest.raises(UsageError, match="data"):
        table.surface(data=other)


def test_a_study_of_a_function_has_no_models(function, tmp_path):
    assert function.network() is None
    assert function.surface() is None
    with pytest.raises(UsageError, match="nothing to draw: it searches a function"):
        function.draw(tmp_path / "f.svg")
    for ask in (function.explain, lambda _: function.export(tmp_path / "f.onnx")):
        with pytest.raises(UsageError, match="has no model: a function trained it"):
            ask([0, 1])
    assert [*tmp_path.iterdir()] == []


def test_a_trial_that_failed_has_no_picture_and_no_file(lab, tmp_path):
    number = failed(lab)
    for ask in (
        lab.network,
        lab.surface,
        lambda n: lab.explain([0, 1], n),
        lambda n: lab.draw(tmp_path / "one.svg", n),
        lambda n: lab.export(tmp_path / "one.pt", n),
    ):
        with pytest.raises(UsageError, match=f"trial {number} of study lab has no model: loss"):
            ask(number)
        with pytest.raises(UsageError, match="study lab has no trial 99; its trials: 0 to 2"):
            ask(99)
    assert [*tmp_path.iterdir()] == []


def test_a_study_without_a_complete_trial_says_so(results, tmp_path):
    space = {"lr": {"value": 3e38}, **DIVERGING}
    study = xortune.search(space, trials=1, name="none", results=results, **QUICK)
    for ask in (study.network, study.surface, lambda: study.draw(tmp_path / "one.svg")):
        with pytest.raises(XortuneError, match="study none has no complete trial"):
            ask()


def test_exported_files_answer_as_the_model_does(lab, table, tmp_path):
    from safetensors.torch import load_file

    for study in (lab, table):
        model = study.model(study.best_number)
        for ending in ("pt", "safetensors", "onnx"):
            study.export(tmp_path / f"{study.name}.{ending}")
        state = torch.load(tmp_path / f"{study.name}.pt", weights_only=True)
        again = load_file(tmp_path / f"{study.name}.safetensors")
        assert {*state} == {*again} == {*model.state_dict()}
        assert all(torch.equal(state[name], again[name]) for name in state)
        rows = np.linspace(-2, 2, 10, dtype=np.float32).reshape(5, 2)
        network = ReferenceEvaluator(onnx.load(tmp_path / f"{study.name}.onnx"))
        with torch.inference_mode():
            expected = model(torch.tensor(rows)).numpy()
        assert network.run(None, {"inputs": rows})[0] == pytest.approx(expected, abs=1e-6)


def test_a_drawing_has_the_numbers_of_its_trial(lab, tmp_path):
    for number in {0, 1, 2} - {failed(lab)}:
        lab.draw(tmp_path / "one.svg", number, force=True)
        text = (tmp_path / "one.svg").read_text()
        for name, tensor in lab.model(number).state_dict().items():
            for value in tensor.flatten().tolist():
                assert f"= {value!r}" in text, name
    lab.draw(tmp_path / "one.PNG", theme="dark")
    assert Image.open(io.BytesIO((tmp_path / "one.PNG").read_bytes())).format == "PNG"


def test_existing_files_are_kept_unless_forced(lab, tmp_path):
    for name, write in (("one.pt", lab.export), ("one.svg", lab.draw)):
        file = tmp_path / name
        file.write_text("mine")
        with pytest.raises(UsageError, match=rf"{name}': exists already.* use force=True"):
            write(file)
        assert file.read_text() == "mine"
        write(file, force=True)
        assert file.read_bytes() != b"mine"
    assert torch.load(tmp_path / "one.pt", weights_only=True)
    assert {*tmp_path.iterdir()} == {tmp_path / "one.pt", tmp_path / "one.svg"}


def test_a_link_is_replaced_and_not_followed(lab, tmp_path):
    other = tmp_path / "other"
    other.write_text("another's")
    (tmp_path / "one.svg").symlink_to(other)
    lab.draw(tmp_path / "one.svg", force=True)
    assert other.read_text() == "another's"
    assert not (tmp_path / "one.svg").is_symlink()


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("one.h5", r"its ending names no format. Use one of \.safetensors \(the weights\), \.pt"),
        ("one", "its ending names no format"),
        ("nowhere/one.pt", "there is no folder .*nowhere. Create it first"),
        ("folder.pt", "is a folder. Choose another name"),
        ("lab/one.pt", "the study keeps its own files there. Choose another folder"),
        ("link/one.pt", "the study keeps its own files there"),
        ("x" * 300 + ".pt", "cannot be written: File name too long"),
        ("a\0b.pt", "expected the path of a file, as text"),
        (7, "expected the path of a file, as text"),
        (None, "expected the path of a file, as text"),
        ("", "expected the path of a file, as text"),
    ],
)
def test_files_that_cannot_be_written(lab, tmp_path, monkeypatch, name, fault):
    monkeypatch.chdir(tmp_path)
    copy = xortune.load(shutil.copytree(lab.paths.folder, tmp_path / "lab"))
    (tmp_path / "folder.pt").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "lab")
    before = {*(tmp_path / "lab").iterdir()}
    with pytest.raises(UsageError, match=fault) as caught:
        copy.export(name)
    assert str(caught.value).startswith("file ")
    assert {*(tmp_path / "lab").iterdir()} == before


def test_all_faults_of_a_file_are_said_at_once(lab):
    with pytest.raises(UsageError) as caught:
        lab.export("nowhere/one.h5")
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("force", [True, False])
def test_a_full_disk_leaves_no_part_of_a_file(tmp_path, force):
    file = tmp_path / "one.pt"
    if force:
        file.write_text("mine")
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)); {IGNORE}"
    code = (
        f"{limit}; from pathlib import Path; from xortune.studies.files import write_file; "
        f"write_file(Path({str(file)!r}), bytes(1000), force={force})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "cannot be written: File too large" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == (["one.pt"] if force else [])
    assert not force or file.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "theme", "fault"),
    [
        ("one.png", "auto", "theme 'auto': must be one of light, dark"),
        ("one.svg", "sepia", "theme 'sepia': must be one of auto, light, dark"),
        ("one.svg", 3, "theme 3: must be one of"),
        ("one.gif", None, r"names no format. Use one of \.svg \(lines\), \.png"),
    ],
)
def test_drawings_that_there_are_not(lab, tmp_path, name, theme, fault):
    with pytest.raises(UsageError, match=fault):
        lab.draw(tmp_path / name, theme=theme)
    assert [*tmp_path.iterdir()] == []


def test_the_lab_has_no_data_to_name(lab):
    with pytest.raises(UsageError, match="study lab searches xor, which needs none"):
        lab.surface(data="wine.csv")
