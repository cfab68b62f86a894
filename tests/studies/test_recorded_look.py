"""What a study records of how its module is trained, and what a resume makes of it."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

import xortune
from tests.small_study import answer
from xortune.errors import UsageError
from xortune.ledger import Ledger

PACKS = "packs of up to 512, same bits in any pack"
# Two lanes are enough for equal bits.
LINES = """
import torch
from torch import nn

import xortune


def model(inputs: int, outputs: int, width: int = 4):
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))


def data():
    angle = torch.linspace(0, 40, 90)
    x = torch.stack((angle.sin(), (2 * angle).cos()), 1)
    y = x.prod(1, keepdim=True)
    return xortune.Split(x[::2], y[::2], x[1::2], y[1::2])


problem = xortune.Problem(
    model=model,
    data=data,
    loss="mse",
    space={"width": {"min": 3, "max": 9}},
    defaults={"epochs": 2},
)
"""
# Its lanes need the largest padding on every kind of processor.
NORMS = LINES.replace("nn.ReLU(),", "nn.BatchNorm1d(width), nn.ReLU(),")
DRAWS = LINES.replace("nn.ReLU()", "nn.RReLU()")
SETTINGS = {"trials": 4, "sampler": "random", "confirm": "none"}


@pytest.fixture
def begin(tmp_path):
    """Begins a study of a module's text; returns it with its file."""

    def begin(text, **settings):
        file = tmp_path / "mine.py"
        file.write_text(text)
        about = {"problem": file, "results": tmp_path, **SETTINGS, **settings}
        return xortune.search(name="one", **about), file

    return begin


def pretend(study, **recorded):
    """Records something else of how the study is trained."""
    with Ledger.open(study.paths) as ledger:
        ledger.record(ledger.settings(), replace(ledger.provenance(), **recorded))


def test_the_words_and_the_padding_of_packs_are_recorded_and_shown(begin):
    study, _ = begin(NORMS, engine="stacked")
    assert study.provenance.training.startswith(PACKS)
    assert study.provenance.padding == (64, 64)
    assert study.described()["training"] == study.provenance.training
    page = study.html().read_text()
    assert PACKS in page
    assert "a multiple of 64, at least 64" in page


def test_the_reason_for_training_one_at_a_time_is_recorded(begin):
    study, file = begin(DRAWS)
    words = study.provenance.training
    assert words.startswith("one at a time in each worker, since forward draws random numbers")
    assert study.provenance.padding is None
    # Another start asks for the engine by its name, and the reason stays.
    resumed = xortune.resume(study.paths.folder, problem=file, trials=6)
    assert resumed.provenance.training == words


def test_a_resume_takes_the_padding_of_the_study_where_that_is_larger(begin):
    study, file = begin(LINES, engine="stacked")
    assert study.provenance.padding == (1, 2)
    pretend(study, padding=(64, 64), training="packs of an earlier version")
    resumed = xortune.resume(study.paths.folder, problem=file, trials=6)
    assert resumed.provenance.padding == (64, 64)
    assert resumed.provenance.training == "packs of an earlier version"
    assert len(answer(resumed)) == 6


def test_a_resume_refuses_a_padding_that_no_longer_does_unless_it_is_forced(begin):
    study, file = begin(NORMS, engine="stacked")
    pretend(study, padding=(1, 2))
    expected = (
        r"began with lanes padded to at least 2, and here its module needs a multiple of 64.*"
        r"force=True"
    )
    with pytest.raises(UsageError, match=expected):
        xortune.resume(study.paths.folder, problem=file, trials=6)
    with pytest.raises(UsageError, match=expected):
        xortune.load(study.paths.folder).luck(0, 2, problem=file)
    assert len(xortune.load(study.paths.folder).trials) == 4
    forced = xortune.resume(study.paths.folder, problem=file, trials=6, force=True)
    assert forced.provenance.padding == (64, 64)
    assert forced.provenance.forced


def test_a_study_of_an_earlier_version_records_them_when_it_is_resumed(begin):
    study, file = begin(LINES, engine="stacked")
    pretend(study, padding=None, training="")
    resumed = xortune.resume(study.paths.folder, problem=file, trials=6)
    assert resumed.provenance.training.startswith(PACKS)
    assert resumed.provenance.padding == (1, 2)


def test_compiled_packs_without_a_compiler_are_resumed_where_they_began(begin):
    study, file = begin(LINES, engine="stacked")
    pretend(study, engine="stacked-compiled-1")
    words = ["resume", study.paths.folder, "--problem", file, "--trials", "6"]
    done = subprocess.run(  # PyTorch looks for a compiler once in a process.
        [sys.executable, "-m", "xortune", *words],
        env={**os.environ, "CXX": "nothing"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    said = " ".join(done.stderr.split())
    assert "no C++ compiler was found" in said
    assert "with its module, its PyTorch and a C++ compiler." in said
