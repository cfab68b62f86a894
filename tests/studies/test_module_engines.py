"""Which engine trains a study of a module, and that it stays the one that was recorded."""

from __future__ import annotations

import logging

import pytest
import torch.nn.functional as F
from torch import nn

import xortune
from tests.declared_modules import made
from xortune.errors import UsageError
from xortune.studies.checking import check
from xortune.studies.problems import module_engines, modules_in_c

MISSING = "no C compiler was found (CC=missing-cc)"
FEW = {"trials": 3, "confirm": "none", "sampler": "random", "name": "s"}
IN_C = "trials are trained in C, in packs of up to 1,024, same bits in any pack."


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setenv("CC", "missing-cc")


def two_widths(inputs: int, outputs: int, width: int = 4) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, width + 1), nn.Tanh(),
        nn.Linear(width + 1, outputs),
    )  # fmt: skip


def squared(output, target):
    return F.mse_loss(output[:, 0], target)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("auto", "mlp-1"), ("mlp", "mlp-1"), ("stacked", "stacked-1"), ("plain", "plain-1")],
)
def test_the_engine_of_a_perceptron_is_chosen_said_and_recorded(tmp_path, caplog, wanted, name):
    caplog.set_level(logging.INFO)
    study = xortune.search(problem=made(), results=tmp_path, engine=wanted, **FEW)
    assert study.provenance.engine == name
    assert (IN_C in caplog.text) is (name == "mlp-1")
    assert "slower" not in caplog.text
    assert set(study.trials["state"]) == {"COMPLETE"}


@pytest.mark.parametrize("changed", [{"model": two_widths}, {"loss": squared}])
def test_what_c_cannot_train_is_stacked_and_refused_where_c_is_asked_for(tmp_path, changed):
    problem = made(**changed)
    assert xortune.search(problem=problem, results=tmp_path, **FEW).provenance.engine == "stacked-1"
    why = "the model is no perceptron" if "model" in changed else "the loss squared is a function"
    with pytest.raises(UsageError, match=rf"^engine mlp: {why}.*Use engine='auto'"):
        xortune.search(problem=problem, results=tmp_path / "other", engine="mlp", **FEW)
    assert not (tmp_path / "other").exists()


def test_without_a_compiler_perceptrons_are_stacked_and_that_is_said_once(
    tmp_path, caplog, no_compiler
):
    caplog.set_level(logging.INFO)
    study = xortune.search(problem=made(), results=tmp_path, **FEW)
    assert study.provenance.engine == "stacked-1"
    assert caplog.text.count(f"training with PyTorch, which is slower: {MISSING}.") == 1
    assert (
        "trials are trained in packs of up to 512, same bits in any pack; a generation falls into"
        in caplog.text
    )


def test_without_a_compiler_c_is_refused_where_it_is_asked_for(tmp_path, no_compiler):
    with pytest.raises(UsageError) as caught:
        xortune.search(problem=made(), results=tmp_path, engine="mlp", **FEW)
    assert str(caught.value) == f"engine mlp: {MISSING}. Use engine='auto'."
    assert not any(tmp_path.iterdir())


def test_a_study_in_c_is_not_continued_by_another_engine(tmp_path, monkeypatch):
    study = xortune.search(problem=made(), results=tmp_path, **FEW)
    with monkeypatch.context() as there:
        there.setenv("CC", "missing-cc")
        with pytest.raises(UsageError, match=r"engine mlp-1: no C .* where there is a C compiler"):
            xortune.resume(study.paths.folder, problem=made(), trials=6)
    assert len(xortune.load(study.paths.folder).trials) == 3
    study = xortune.resume(study.paths.folder, problem=made(), trials=6)
    assert (study.provenance.engine, len(study.trials)) == ("mlp-1", 6)


def test_a_stacked_study_of_a_perceptron_stays_stacked(tmp_path, caplog):
    study = xortune.search(problem=made(), results=tmp_path, engine="stacked", **FEW)
    study = xortune.resume(study.paths.folder, problem=made(), trials=6)
    assert study.provenance.engine == "stacked-1"


def test_a_study_interrupted_by_packs_and_resumed_is_the_same_to_the_bit(tmp_path):
    more = {**FEW, "trials": 9, "name": "whole", "generation": 3}
    whole = xortune.search(problem=made(), results=tmp_path, pack_size=9, **more)
    half = xortune.search(problem=made(), results=tmp_path, pack_size=1, generation=3, **FEW)
    resumed = xortune.resume(half.paths.folder, problem=made(), trials=9)
    assert resumed.provenance.engine == "mlp-1"
    columns = ["rank", "number", "final_loss", "train_loss", "width", "lr"]
    assert resumed.trials[columns].equals(whole.trials[columns])


def test_huge_perceptrons_are_left_to_pytorch(monkeypatch, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(modules_in_c, "_MOST_WEIGHTS", 20)
    study = xortune.search(problem=made(), results=tmp_path, **FEW)
    assert study.provenance.engine == "stacked-1"
    assert "training with PyTorch: the space has networks of 21 weights." in caplog.text


def test_check_times_all_engines_that_can_train_a_perceptron():
    found = check(made())
    assert (found.engine, [*found.seconds]) == ("mlp-1", ["mlp-1", "stacked-1", "plain-1"])
    assert found.words == "C, in packs of up to 1,024, same bits in any pack"
    assert all(seconds > 0 for seconds in found.seconds.values())


def test_check_without_a_compiler_is_of_the_others(no_compiler):
    found = check(made())
    assert (found.engine, [*found.seconds]) == ("stacked-1", ["stacked-1", "plain-1"])


def test_the_libraries_of_a_module_in_c_are_those_that_draw_its_weights():
    assert module_engines.libraries("mlp-1", "cpu") == ("torch", "numpy")
