"""A process that forks a child for every fault, and what an undisturbed study looks like."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import xortune
from tests.faults.driver import killed_driver


class Ended(NamedTuple):
    """How a child ended, and what it printed."""

    code: int
    text: str


class Forks:
    """Runs functions of this folder's modules in children that need no import."""

    def __init__(self, output: Path) -> None:
        self._output = output
        pipe = subprocess.PIPE
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.driver.fork_server"],
            stdin=pipe,
            stdout=pipe,
            text=True,
            cwd=Path(__file__).parents[3],
            env={**os.environ, "COLUMNS": "80"},
        )
        assert self._answer() == "ready"

    def __call__(self, module: str, function: str, *arguments: Any) -> Ended:
        """Waits for the child; its signal, if one killed it, is a negative code."""
        case = {"module": module, "function": function, "arguments": arguments}
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps({**case, "output": str(self._output)}) + "\n")
        self._server.stdin.flush()
        return Ended(int(self._answer()), self._output.read_text())

    def _answer(self) -> str:
        assert self._server.stdout is not None
        return self._server.stdout.readline().strip()

    def close(self) -> None:
        with self._server:
            assert self._server.stdin is not None
            self._server.stdin.close()


@pytest.fixture(scope="session")
def forks(tmp_path_factory) -> Iterator[Forks]:
    server = Forks(tmp_path_factory.mktemp("forks") / "output")
    yield server
    server.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, forks) -> tuple[xortune.Study, list[str]]:
    """The study of `killed_driver`, and the names of its write boundaries."""
    results = tmp_path_factory.mktemp("undisturbed")
    names = results / "names"
    ended = forks("killed_driver", "search", str(results), None, str(names))
    assert ended == (0, ended.text), ended.text
    return xortune.load(results / "one"), names.read_text().splitlines()


@pytest.fixture
def a_copy(undisturbed, tmp_path) -> Path:
    """The folder of a finished study, to be damaged."""
    return Path(shutil.copytree(undisturbed[0].paths.folder, tmp_path / "results" / "one"))


@pytest.fixture(scope="session")
def unfinished(tmp_path_factory, forks, undisturbed) -> Path:
    """The folder of the same study, killed with some packs done."""
    results = tmp_path_factory.mktemp("unfinished")
    names = undisturbed[1]
    second = [i for i, name in enumerate(names) if name == "after a transaction"][4]
    assert forks("killed_driver", "search", str(results), second).code < 0
    (results / "one" / ".driver").unlink()
    assert killed_driver.SETTINGS["trials"] > 4
    return results / "one"
