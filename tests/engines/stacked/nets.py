"""Modules that can be stacked, that cannot, and that cannot be trained at all."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.modules import Made


class Cells(nn.Module):
    def __init__(self, kind: type[nn.Module]) -> None:
        super().__init__()
        self.cell = kind(2, 5)  # type: ignore[call-arg]
        self.out = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = x.new_zeros(len(x), 5)
        state = hidden
        for step in range(x.shape[1]):
            if isinstance(self.cell, nn.LSTMCell):
                hidden, state = self.cell(x[:, step], (hidden, state))
            else:
                hidden = self.cell(x[:, step], hidden)
        return self.out(hidden)


class Linear(nn.Module):
    """A linear model, of which the others change one thing."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.before(x))

    def before(self, x: Tensor) -> Tensor:
        return x


class Words(Linear):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(2, 3)

    def before(self, x: Tensor) -> Tensor:
        return self.table((x[:, 0] > 0).long())


class PaddedWords(Words):
    """The first word stands for nothing, and is not learnt."""

    def __init__(self, padding: bool = True) -> None:
        super().__init__()
        self.table = nn.Embedding(2, 3, padding_idx=0 if padding else None)


class PaddedByCall(PaddedWords):
    def __init__(self) -> None:
        super().__init__(padding=False)

    def before(self, x: Tensor) -> Tensor:
        return F.embedding((x[:, 0] > 0).long(), self.table.weight, padding_idx=0)


class Branching(Linear):
    def before(self, x: Tensor) -> Tensor:
        return x if self.out(x).mean().item() > 0 else -x


class Noisy(Linear):
    def before(self, x: Tensor) -> Tensor:
        return x + 0.1 * torch.randn_like(x)


class AlwaysDropping(Linear):
    def before(self, x: Tensor) -> Tensor:
        return F.dropout(x, 0.2, training=True)


class NoisyByNumPy(Linear):
    def before(self, x: Tensor) -> Tensor:
        return x * float(np.random.rand())


class DrawnByNumPy(Linear):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.from_numpy(np.random.rand(3).astype(np.float32)))

    def before(self, x: Tensor) -> Tensor:
        return x * self.scale


class Double(Linear):
    def __init__(self) -> None:
        super().__init__()
        self.out = self.out.double()


class Raising(Linear):
    def before(self, x: Tensor) -> Tensor:
        raise ValueError("no such width")


class Listing(Linear):
    def forward(self, x: Tensor) -> Tensor:
        return self.out(x).tolist()


class WithState(Linear):
    def get_extra_state(self) -> object:
        return {"when": "now"}

    def set_extra_state(self, state: object) -> None:
        pass


class Leaving(Linear):
    def before(self, x: Tensor) -> Tensor:
        raise SystemExit(3)


def secretly_drawn() -> nn.Module:
    """Draws a number where nobody sees it."""
    scale = torch.rand(())
    return hidden(Scaling(lambda x: x * scale))


class Scaling(nn.Module):
    def __init__(self, scale) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.scale(x)


class Summing(Linear):
    def forward(self, x: Tensor) -> Tensor:
        return self.out(x).sum()


class Infinite(Linear):
    def before(self, x: Tensor) -> Tensor:
        return x / 0.0


class Fixed(Linear):
    def __init__(self) -> None:
        super().__init__()
        self.requires_grad_(False)


class Sequence(nn.Module):
    def __init__(self, kind: type[nn.Module], **how: object) -> None:
        super().__init__()
        self.cells = kind(2, 5, batch_first=True, **how)  # type: ignore[call-arg]
        self.out = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.cells(x)[0][:, -1])


class Everything(nn.Module):
    """Recurrence, which is stacked inside of a gradient, beside buffers and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.cells = nn.GRU(2, 5, 2, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(10, 1)
        self.register_buffer("mean", torch.zeros(10))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.drop(self.cells(self.norm(x))[0][:, -1])
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * hidden.detach().mean(0)
        return self.out(hidden - self.mean)


def lstm() -> nn.Module:
    return Sequence(nn.LSTM)


def gru_with_dropout() -> nn.Module:
    return Sequence(nn.GRU, num_layers=2, dropout=0.2)


def lstm_cells() -> nn.Module:
    return Cells(nn.LSTMCell)


def gru_cells() -> nn.Module:
    return Cells(nn.GRUCell)


def hidden(*parts: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(3, 13), *parts, nn.Linear(13, 1))


def tanh() -> nn.Module:
    return hidden(nn.Tanh(), nn.Dropout(0.2))


def silu() -> nn.Module:
    return hidden(nn.SiLU())


def batch_norm() -> nn.Module:
    return hidden(nn.BatchNorm1d(13))


def alpha_dropout() -> nn.Module:
    return hidden(nn.SELU(), nn.AlphaDropout(0.2))


def attention() -> nn.Module:
    layer = nn.TransformerEncoderLayer(2, 1, 5, batch_first=True)
    return nn.Sequential(layer, nn.Flatten(), nn.Linear(8, 1))


def large() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 1100), nn.Tanh(), nn.Linear(1100, 1100), nn.Linear(1100, 1))


def made(make, shape: tuple[int, ...] = (3,)) -> Made:
    return Made(make, shape=shape)


STEPS = (4, 2)  # of a sequence
