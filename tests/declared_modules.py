"""Problems with a small module, made by arithmetic, and the code of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import xortune
from xortune.problems.code.code import load_code
from xortune.problems.code.recorded import own_space
from xortune.problems.module.problem import ModuleProblem
from xortune.space import inferred_parameters

SPACE: Mapping[str, Any] = {
    "width": {"values": [3, 5]},
    "lr": {"min": 0.01, "max": 0.1},
    "epochs": {"value": 3},
}
# Two half moons, as a user writes it into a file.
MOONS = """
import torch
from torch import nn

import xortune


def model(inputs: int, outputs: int, width: int = 4, activation: str = "Tanh"):
    act = getattr(nn, activation)()
    return nn.Sequential(nn.Linear(inputs, width), act, nn.Linear(width, outputs))


def data():
    angle = torch.linspace(0, torch.pi, 60)
    upper = torch.stack((angle.cos(), angle.sin()), 1)
    lower = torch.stack((1 - angle.cos(), 0.5 - angle.sin()), 1)
    x = torch.stack((upper, lower), 1).reshape(-1, 2)
    y = torch.arange(120) % 2
    return xortune.Split(x[::3], y[::3], x[1::3], y[1::3], x[2::3], y[2::3])


def accuracy(output, target):
    return ((output[:, 0] > 0) == (target > 0)).float().mean()


problem = xortune.Problem(
    model=model,
    data=data,
    loss="bce_with_logits",
    metrics={"accuracy": accuracy},
    space={
        "width": {"values": [3, 5]},
        "activation": {"values": ["Tanh", "ReLU"]},
        "lr": {"distribution": "log_uniform_values", "min": 0.001, "max": 0.1},
        "epochs": {"value": 4},
    },
)
"""


def model(inputs: int, outputs: int, width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, outputs))


def rows(count: int = 24) -> tuple[Tensor, Tensor]:
    """Rows of two numbers, and the sign of their product as a fraction."""
    x = torch.stack((torch.arange(count) % 5 - 2.0, torch.arange(count) % 7 - 3.0), 1) / 3
    return x, (x.prod(1) > 0).float()


def data() -> xortune.Split:
    x, y = rows()
    return xortune.Split(x[::2], y[::2], x[1::2], y[1::2])


def gap(output: Tensor, target: Tensor) -> Tensor:
    return (output[:, 0] - target).abs().max()


def made(**declared: Any) -> xortune.Problem:
    """A problem of those functions, but for what is given."""
    usual: dict[str, Any] = {"model": model, "data": data, "loss": "mse", "space": SPACE}
    return xortune.Problem(**{**usual, **declared})


def problem_of(problem: xortune.Problem | Path) -> ModuleProblem:
    """The module's problem of a declared one, or of its file, with the parameters of its space."""
    code = load_code(problem)
    return ModuleProblem(code, inferred_parameters(own_space(code)))
