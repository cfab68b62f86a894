"""A study for every module that reports on one."""

import contextlib
import io

import pytest

from tests.cli.commands import Answer
from xortune.cli import main


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    """The width of the terminal that the tables are made for."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results folder of the searched study."""
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def searched(results) -> Answer:
    """The search of the study `one`: eight trials, two generations."""
    argv = ["search", "smoke", "--runner", "inline", "--trials", "8", "--generation", "4"]
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setenv("COLUMNS", "80")
        code = main([*argv, "--results", str(results), "--name", "one"])
    return Answer(code, out.getvalue(), err.getvalue())


@pytest.fixture
def study(searched, results):
    """The folder of the study `one`."""
    assert searched.code == 0
    return results / "one"
