"""Modules to look at before a search, good and bad, and what is said of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import xortune
from tests.declared_modules import made


class Steps(nn.Module):
    """Reads rows as sequences by a layer or a cell of its own."""

    def __init__(self, kind: type[nn.Module], width: int) -> None:
        super().__init__()
        self.reads = kind(1, width)
        self.cell = "Cell" in kind.__name__
        self.answers = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        steps = x.t().unsqueeze(2)
        if not self.cell:
            return self.answers(self.reads(steps)[0][-1])
        state: Any = None
        for step in steps:
            state = self.reads(step, state)
        return self.answers(state[0])


class Forward(nn.Module):
    """A layer whose outputs a function changes."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.line = nn.Linear(2, 1)
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        return self.change(self.line(x))


class Words(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.words = nn.Embedding(3, width)
        self.line = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.line(self.words((x[:, 0] > 0).long()))


def mlp(width: int, *between: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(2, width), *between, nn.Linear(width, 1))


def drawn_by_numpy() -> nn.Module:
    line = nn.Linear(2, 1)
    numbers = np.random.default_rng().normal(size=(1, 2))
    with torch.no_grad():
        line.weight.copy_(torch.from_numpy(numbers))
    return line


def branch(y: Tensor) -> Tensor:
    return y if y.mean().item() > 0 else -y


def noisy(y: Tensor) -> Tensor:
    return y + 0.1 * torch.randn_like(y)


class Said(NamedTuple):
    """A module, and what is said of it: that it trains in C, in packs, alone, or not at all."""

    model: Callable[[int], Any]
    how: str  # in C, packs, alone or fault
    words: str = "same bits in any pack"


MODULES = {
    "ReLU": Said(lambda width: mlp(width, nn.ReLU()), "in C"),
    "SiLU": Said(lambda width: mlp(width, nn.SiLU()), "in C"),
    "Dropout": Said(lambda width: mlp(width, nn.Tanh(), nn.Dropout(0.3)), "in C"),
    "LayerNorm": Said(lambda width: mlp(width, nn.LayerNorm(width), nn.GELU()), "packs"),
    "BatchNorm": Said(lambda width: mlp(width, nn.BatchNorm1d(width), nn.Tanh()), "packs"),
    "GRU": Said(lambda width: Steps(nn.GRU, width), "packs"),
    "LSTMCell": Said(lambda width: Steps(nn.LSTMCell, width), "packs"),
    "Embedding": Said(lambda width: Words(width), "packs"),
    "LSTM": Said(
        lambda width: Steps(nn.LSTM, width), "alone",
        "since nn.LSTM cannot be stacked (LSTMCell and GRU can)",
    ),
    "a branch": Said(
        lambda width: Forward(branch), "alone",
        "since forward branches on a value, or calls .item()",
    ),
    "noise": Said(
        lambda width: Forward(noisy), "alone", "since forward draws random numbers (randn_like)"
    ),
    "large": Said(
        lambda width: mlp(1100, nn.ReLU(), nn.Linear(1100, 1100)), "alone",
        "million operations, and stacking pays up to",
    ),
    "no module": Said(
        lambda width: F.relu, "fault", "model returned <function relu"
    ),
    "another shape": Said(
        lambda width: nn.Linear(2, 3), "fault",
        "mse compares numbers one by one, and the model's output has the shape",
    ),
    "NumPy": Said(
        lambda width: drawn_by_numpy(), "fault",
        "the model has other weights when it is made again with the same seed",
    ),
    "doubles": Said(
        lambda width: mlp(width, nn.Tanh()).double(), "fault",
        "the parameter 0.weight is float64 on cpu, and must be float32 on the CPU",
    ),
    "nothing to learn": Said(
        lambda width: nn.Flatten(), "fault", "the model has no parameters to train"
    ),
}  # fmt: skip


def problem_with(name: str) -> xortune.Problem:
    """A problem of one of these modules."""
    model = MODULES[name].model
    return made(model=lambda width: model(width), loss="mse")
