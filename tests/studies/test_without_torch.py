"""What PyTorch is not imported for, which takes a second: here it cannot be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import xortune
from tests.make import COMPILED

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="there is no C compiler"
)
# In the place of PyTorch: notes which process wants it.
TORCH = """
import os, sys
from pathlib import Path

Path(__file__).with_name(f"wanted-by-{os.getpid()}").write_text(" ".join(sys.argv))
raise ImportError("this PyTorch is for show")
"""


@pytest.fixture(scope="module")
def torch(tmp_path_factory) -> Path:
    """A folder with a PyTorch that cannot be imported."""
    package = tmp_path_factory.mktemp("site") / "torch"
    package.mkdir()
    (package / "__init__.py").write_text(TORCH)
    return package


@pytest.fixture(scope="module")
def run(torch, tmp_path_factory):
    """Runs a command, which must not want PyTorch, nor any process that it starts."""
    place = tmp_path_factory.mktemp("place")

    def run(*words: object) -> str:
        command = [sys.executable, "-m", "xortune", *map(str, words)]
        done = subprocess.run(
            command,
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(torch.parent)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert [file.read_text() for file in torch.glob("wanted-by-*")] == []
        return done.stdout

    return run


@pytest.fixture(scope="module")
def study(run, tmp_path_factory) -> Path:
    results = tmp_path_factory.mktemp("results")
    run(
        "search", "smoke", "--trials", 12, "--runner", "inline", "--name", "s", "--results", results
    )
    study = xortune.load("s", results)
    assert study.provenance.engine == COMPILED
    assert set(study.trials["state"]) == {"COMPLETE"}
    return study.paths.folder


def test_the_guard_guards(torch):
    done = subprocess.run(
        [sys.executable, "-c", "import torch"],
        env={**os.environ, "PYTHONPATH": str(torch.parent)},
        capture_output=True,
        text=True,
    )
    assert "this PyTorch is for show" in done.stderr
    (note,) = torch.glob("wanted-by-*")
    note.unlink()


def test_report(run, study):
    assert run("report", study).startswith("study s: 12 trials")


def test_predict(run, study):
    expected = xortune.load(study).predict(int(xortune.load(study).best["number"]), [0, 1])
    assert run("predict", study, 0, 1) == f"{expected:.6g}\n"


def test_draw_and_explain(run, study, tmp_path):
    run("draw", study, tmp_path / "one.svg")
    assert (tmp_path / "one.svg").read_text().startswith("<svg ")
    assert "h0 = sigmoid(w00 * x0" in run("predict", study, 0, 1, "--explain")


def test_resume(run, study, tmp_path):
    copy = shutil.copytree(study, tmp_path / "copy")
    run("resume", copy, "--trials", 20, "--runner", "inline")
    assert len(xortune.load(copy).trials) == 20


# Of a search on Ray tests/faults/test_network.py shows it in the short part.
@pytest.mark.long
def test_search_on_ray_and_its_workers(run, tmp_path):
    fixed = ("--trials", 30, "--pack-size", 5, "--workers", 2, "--runner", "ray")
    run("search", "smoke", *fixed, "--name", "r", "--results", tmp_path)
    study = xortune.load("r", tmp_path)
    assert study.provenance.engine == COMPILED
    assert set(study.trials["state"]) == {"COMPLETE"}
