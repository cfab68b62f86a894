"""`draw`, `export-model` and `predict --explain`."""

import shutil
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image

import xortune
from tests.cli.commands import call, contents
from tests.make import SPEC
from tests.report.test_confirmed import entry
from xortune.drawing import picture_svg
from xortune.ledger import Ledger
from xortune.paths import StudyPaths


def test_draw_writes_the_drawing_of_the_best_trial(capsys, study, tmp_path):
    assert call(capsys, "draw", study, tmp_path / "one.svg") == (0, "", "")
    text = (tmp_path / "one.svg").read_text()
    loaded = xortune.load(study)
    assert text == picture_svg(loaded.network(), loaded.surface(), "auto") + "\n"
    ElementTree.fromstring(text)


def test_draw_takes_a_trial_and_a_theme(capsys, study, tmp_path):
    for theme, ending in (("light", "svg"), ("dark", "png")):
        file = tmp_path / f"one.{ending}"
        assert call(capsys, "draw", study, file, "--trial", 7, "--theme", theme) == (0, "", "")
    loaded = xortune.load(study)
    expected = picture_svg(loaded.network(7), loaded.surface(7), "light")
    assert (tmp_path / "one.svg").read_text() == f"{expected}\n"
    assert Image.open(tmp_path / "one.png").convert("RGB").getpixel((0, 0)) == (0x14, 0x17, 0x1C)


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_draw_overwrites_only_if_forced(capsys, study, tmp_path, ending):
    file = tmp_path / f"one.{ending}"
    file.write_text("mine")
    again = call(capsys, "draw", study, file)
    assert (again.code, again.out) == (2, "")
    assert "exists already. Choose another name, or use --force." in again.err
    assert contents(tmp_path) == {file: b"mine"}
    assert call(capsys, "draw", study, file, "--force") == (0, "", "")
    assert file.read_bytes() != b"mine"


@pytest.mark.parametrize("ending", ["pt", "safetensors", "onnx"])
def test_export_model_writes_a_file_once_unless_forced(capsys, study, tmp_path, ending):
    file = tmp_path / f"one.{ending}"
    assert call(capsys, "export-model", study, file) == (0, "", "")
    first = file.read_bytes()
    again = call(capsys, "export-model", study, file, "--trial", 7)
    assert (again.code, again.out) == (2, "")
    assert "exists already. Choose another name, or use --force." in again.err
    assert file.read_bytes() == first
    assert call(capsys, "export-model", study, file, "--trial", 7, "--force").code == 0
    assert file.read_bytes() != first
    if ending == "pt":
        state = torch.load(file, weights_only=True)
        model = xortune.load(study).model(7).state_dict()
        assert all(torch.equal(state[name], tensor) for name, tensor in model.items())


@pytest.mark.parametrize("inputs", [["0", "1"], ["-0.5", "1e3"]])
@pytest.mark.parametrize("more", [[], ["--trial", "7"]])
def test_an_explanation_ends_with_the_prediction(capsys, study, inputs, more):
    predicted = call(capsys, "predict", study, *inputs, *more)
    explained = call(capsys, "predict", study, *inputs, *more, "--explain")
    assert (explained.code, explained.err) == (0, "")
    assert explained.out.split()[-1] == predicted.out.strip()
    assert max(map(len, explained.out.splitlines())) <= 80


def test_an_explanation_can_be_written_to_a_file(capsys, study, tmp_path):
    printed = call(capsys, "predict", study, "0", "1", "--explain")
    written = call(capsys, "predict", study, "0", "1", "--explain", "--output", tmp_path / "one")
    assert written == (0, "", "")
    assert (tmp_path / "one").read_text() == printed.out


def test_where_another_trial_is_recommended_that_is_said(capsys, study, tmp_path):
    copy = shutil.copytree(study, tmp_path / "one")
    best = xortune.load(copy).best_number
    other = (best + 1) % 8
    metrics = {metric.name: 0.1 for metric in SPEC.metrics}
    found = {
        "of": 1, "seeds": 256, "aggregate": "mean", "recommended": other,
        "trials": [entry(other, metrics=metrics)],
    }  # fmt: skip
    with Ledger.open(StudyPaths(copy)) as ledger:
        findings = {**ledger.findings(), "confirmation": found}
        ledger.record(ledger.settings(), ledger.provenance(), findings)
    for what, argv in (
        ("drawing", ["draw", copy, tmp_path / "one.svg"]),
        ("model", ["export-model", copy, tmp_path / "one.pt"]),
        ("answer", ["predict", copy, "0", "1", "--explain"]),
    ):
        note = (
            f"xortune: the {what} is that of rank 1, trial {best}; the trial to use is {other}, "
            f"with --trial {other}.\n"
        )
        assert call(capsys, *argv).err == note
        named = call(capsys, *argv, "--trial", best, *["--force"] * (what != "answer"))
        assert (named.code, named.err) == (0, "")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["draw"], "required: FILE"),
        (["draw", "one.pdf"], "file 'one.pdf': its ending names no format. Use one of .svg"),
        (["draw", "nowhere/one.svg"], "there is no folder nowhere. Create it first."),
        (["draw", "one.svg", "--trial", "99"], "study one has no trial 99; its trials: 0 to 7."),
        (["draw", "one.svg", "--trial", "x"], "--trial"),
        (["draw", "one.svg", "--theme", "sepia"], "--theme"),
        (["draw", "one.png", "--theme", "auto"], "--theme 'auto': must be one of light, dark."),
        (
            ["draw", "one.svg", "--force", "--data", "xor"],
            "--data: study one searches xor, which needs none",
        ),
        (["export-model"], "required: FILE"),
        (["export-model", "one.h5"], "Use one of .safetensors (the weights), .pt"),
        (["export-model", "one.pt", "--trial", "-1"], "study one has no trial -1"),
        (["predict", "--explain"], "give a row of inputs, such as 0 1"),
        (["predict", "0", "--explain"], "the model takes 2 inputs"),
        (["predict", "--data", "new.csv", "--explain"], "searches no table: give a row"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(
    capsys, study, tmp_path, monkeypatch, argv, said
):
    monkeypatch.chdir(tmp_path)
    before = contents(study)
    command, *rest = argv
    answer = call(capsys, command, study, *rest)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert contents(tmp_path) == {}
    assert contents(study) == before


def test_nothing_is_written_into_the_study(capsys, study, tmp_path):
    before = contents(study)
    for name in ("one.svg", "one.png", "trials.csv.svg"):
        answer = call(capsys, "draw", study, study / name)
        assert "the study keeps its own files there. Choose another folder." in answer.err
    call(capsys, "draw", study, tmp_path / "one.svg")
    call(capsys, "export-model", study, tmp_path / "one.onnx")
    call(capsys, "predict", study, "0", "1", "--explain")
    assert contents(study) == before
