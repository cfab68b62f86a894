"""A user's function, module and table, whose files only the head has, searched on the cluster."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from tests.hosts.machine import Host

FUNCTION = """
import random

import xortune
from helper import square


def train(config, report):
    for epoch in range(config["epochs"]):
        loss = square(config["x"] - 1) + square(config["y"] + random.random()) / (epoch + 1)
        report(epoch, loss=loss)


problem = xortune.Problem(
    train=train,
    space={
        "x": {"min": -3.0, "max": 3.0},
        "y": {"min": -3.0, "max": 3.0},
        "epochs": {"min": 1, "max": 9},
    },
)
"""
# Its rows are in a file beside it.
MODULE = """
import csv
from pathlib import Path

from torch import nn

import xortune
from helper import square


def model(inputs: int, outputs: int, width: int):
    return nn.Sequential(nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, outputs))


def data():
    with Path(__file__).with_name("data.csv").open() as file:
        lines = [*csv.reader(file)][1:]
    rows = [[float(a), float(b), square(float(y)) / 400] for a, b, _, y in lines]
    x, y = [row[:2] for row in rows], [row[2] for row in rows]
    return xortune.Split(x[:80], y[:80], x[80:], y[80:])


problem = xortune.Problem(
    model=model,
    data=data,
    loss="mse",
    space={
        "width": {"min": 4, "max": 6},
        "lr": {"distribution": "log_uniform_values", "min": 0.001, "max": 0.1},
        "epochs": {"min": 2, "max": 6},
    },
)
"""
# Of the module, so that its driver can be killed in the middle.
LONG_SPACE = """
parameters:
  width: {min: 4, max: 6}
  lr: {distribution: log_uniform_values, min: 0.001, max: 0.1}
  epochs: {min: 300, max: 400}
"""
LONG = "long.yaml"
XORTUNE = [sys.executable, "-m", "xortune"]
TRIALS = 24
HELPER = "def square(x):\n    return x * x\n"
SPACE = """
parameters:
  width: {min: 4, max: 16}
  lr: {distribution: log_uniform_values, min: 0.001, max: 0.1}
  epochs: {min: 2, max: 6}
  seed: {min: 0, max: 99}
"""
SEARCHES = {
    "function": ["--problem", "mine.py", "--include", "helpers"],
    "module": ["--problem", "net.py", "--include", "helpers"],
    "table": ["table.yaml", "--data", "data.csv", "--target", "y"],
}


def write_problems(write: Callable[[str, str], None]) -> None:
    """Writes the files of all, by their names in the working folder."""
    write("mine.py", FUNCTION)
    write("net.py", MODULE)
    write("helpers/helper.py", HELPER)
    write("table.yaml", SPACE)
    write(LONG, LONG_SPACE)
    rows = [(i % 7, i % 11, i % 5) for i in range(120)]
    lines = [f"{a},{b},{'abcde'[c]},{2 * a - b + c + 0.5}" for a, b, c in rows]
    write("data.csv", "\n".join(["a,b,c,y", *lines, ""]))


def begun(
    head: Host, kind: str, name: str, *options: str, **variables: str
) -> subprocess.Popen[str]:
    """Begins a search of 24 trials on the head."""
    command = [*XORTUNE, "search", *SEARCHES[kind], "--trials", str(TRIALS)]
    return head.start([*command, "--name", name, "--results", "results", *options], variables)


def searched(head: Host, kind: str, name: str, *options: str, **variables: str) -> None:
    """Runs such a search; raises RuntimeError if it fails."""
    _end(begun(head, kind, name, *options, **variables), name)


def resumed(head: Host, kind: str, name: str, *options: str, **variables: str) -> None:
    """Resumes a search on the head; raises RuntimeError if it fails."""
    command = [*XORTUNE, "resume", f"results/{name}", *SEARCHES[kind], *options]
    _end(head.start(command, variables), name)


def _end(process: subprocess.Popen[str], name: str) -> None:
    output, _ = process.communicate(timeout=300)
    if process.returncode:
        raise RuntimeError(f"the search {name} ended with {process.returncode}:\n{output}")
