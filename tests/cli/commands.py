"""Calling the command line, in this process and in one of its own."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from xortune.cli import main

# Those that --help lists, in its order.
COMMANDS = (
    *(
        "search",
        "resume",
        "check",
        "list",
        "report",
        "best",
        "compare",
        "predict",
        "draw",
        "export-model",
    ),
    *("tensorboard", "dashboard", "export"),
    *("submit", "status", "logs", "wait", "stop", "fetch"),
)


class Answer(NamedTuple):
    """What a command left behind."""

    code: int | str | None
    out: str
    err: str


def call(capsys: pytest.CaptureFixture[str], *argv: object) -> Answer:
    """Runs one command in this process."""
    capsys.readouterr()
    try:
        code: int | str | None = main([str(word) for word in argv])
    except SystemExit as stop:
        code = stop.code
    return Answer(code, *capsys.readouterr())


def run(*argv: object, before: list[str] | None = None, folder: Path | None = None) -> Answer:
    """Runs one command in a process of its own, 80 columns wide."""
    command = [*(before or []), sys.executable, "-m", "xortune", *map(str, argv)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env={**os.environ, "COLUMNS": "80"}
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def contents(folder: Path) -> dict[Path, bytes | None]:
    """Every file below a folder, byte for byte."""
    return {p: p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def rows_of(text: str) -> list[list[str]]:
    """The cells of a printed table, below its rule."""
    lines = text.splitlines()
    rule = next(i for i, line in enumerate(lines) if set(line.strip()) == {"─"})
    return [line.split() for line in itertools.takewhile(str.strip, lines[rule + 1 :])]
