"""Small modules with their rows, made by arithmetic, and engines for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from xortune.engines.mlp.module_engine import MlpModuleEngine
from xortune.engines.mlp.native.build import built_library
from xortune.engines.mlp.perceptrons import perceptrons_at
from xortune.engines.module_size import ModuleSize
from xortune.engines.plain.module_engine import PlainModuleEngine
from xortune.engines.stacked.engine import StackedEngine
from xortune.engines.stacked.padding import Padding
from xortune.problems.module.lesson import ModuleLesson
from xortune.problems.module.losses import LOSSES
from xortune.problems.trainer_parameters import CURVE, trainer_parameters
from xortune.spec import Metric, Objective, Parameter, ProblemSpec
from xortune.trial import Params

SIZE = ModuleSize(row_flops=8000, calls=30, rows=30, validation_rows=15, weights=1000)
SIXTY_FOUR = Padding(64, 64)


def words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.Module] = nn.GRU, width: int = 5) -> None:
        super().__init__()
        self.cells = kind(2, width, batch_first=True)  # type: ignore[call-arg]
        self.out = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.cells(x)[0][:, -1])


class Mixed(nn.Module):
    """Buffers that move in place and otherwise, tied and frozen parameters, dropout of its own."""

    def __init__(self, width: int, dropout: float, activation: str) -> None:
        super().__init__()
        self.first = nn.Linear(3, width, bias=False)  # One would be lost in the mean.
        self.norm = nn.BatchNorm1d(width)
        self.middle = nn.Linear(width, width)
        self.again = nn.Linear(width, width)
        self.again.weight = self.middle.weight
        self.act = getattr(nn, activation)()
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(width, 1)
        self.scale = nn.Parameter(torch.rand(width), requires_grad=False)
        self.unused = nn.Parameter(torch.rand(2))
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.act(self.norm(self.first(x))))
        x = F.dropout(self.act(self.middle(x)) * self.scale, 0.1, self.training)
        x = self.act(self.again(x))
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.mean().detach()
            self.seen += 1
        return self.out(x - self.mean)


def perceptron(width: int, activation: str, dropout: float = 0.0) -> nn.Module:
    act = getattr(nn, activation)
    return nn.Sequential(
        nn.Linear(3, width), act(), nn.Dropout(dropout), nn.Linear(width, 4), act(), nn.Linear(4, 1)
    )


def network(
    width: int, activation: str, dropout: float = 0.0, depth: int = 2, outputs: int = 1
) -> nn.Module:
    """A perceptron as of tables, which registers its last layer first."""
    act = getattr(nn, activation)
    sizes = [3, *[width] * depth]
    every: list[nn.Module] = [nn.Linear(sizes[-1], outputs)]
    hidden: list[nn.Module] = []
    for before, after in pairwise(sizes):
        hidden += [nn.Linear(before, after), act(), nn.Dropout(dropout)]
    return Reversed(every[0], nn.Sequential(*hidden))


class Reversed(nn.Module):
    def __init__(self, last: nn.Module, hidden: nn.Module) -> None:
        super().__init__()
        self.last = last
        self.hidden = hidden

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.hidden(x))


def convolution(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, width, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(width * 4, 3)
    )


def build(
    make: Callable[..., nn.Module], names: tuple[str, ...], params: Mapping[str, Any]
) -> nn.Module:
    return make(**{name: params[name] for name in names})


def squared(output: Tensor, target: Tensor) -> Tensor:
    return F.mse_loss(output, target)


def absolute(output: Tensor, target: Tensor) -> Tensor:
    return (output - target).abs().mean()


def classes(output: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(output, target)


def largest_error(output: Tensor, target: Tensor) -> Tensor:
    return (output - target).abs().max()


def accuracy(output: Tensor, target: Tensor) -> float:
    return float((output.argmax(1) == target).double().mean())


@dataclass(frozen=True)
class Made:
    """A module's problem, which makes its lesson anew in every process.

    `shape` is that of a row's inputs.
    """

    make: Callable[..., nn.Module]
    parameters: tuple[Parameter, ...] = ()
    shape: tuple[int, ...] = (3,)
    losses: Mapping[str, Callable[..., Tensor]] = field(default_factory=lambda: {"mse": squared})
    metrics: Mapping[str, Callable[..., Any]] = field(
        default_factory=lambda: {"largest_error": largest_error}
    )
    rows: int = 20

    def __call__(self) -> ModuleLesson:
        draw = torch.Generator().manual_seed(7)
        count = self.rows + max(self.rows // 2, 3)
        x = torch.randn(count, *self.shape, generator=draw)
        value = x.reshape(count, -1)[:, 0] + 0.3 * torch.randn(count, generator=draw)
        y = value.unsqueeze(1) if "cross_entropy" not in self.losses else torch.bucketize(
            value, torch.tensor([-0.5, 0.5])
        )  # fmt: skip
        n = self.rows
        return ModuleLesson(
            build=partial(build, self.make, tuple(p.name for p in self.parameters)),
            x=x[:n].clone(),
            y=y[:n].clone(),
            x_validation=x[n:].clone(),
            y_validation=y[n:].clone(),
            x_test=None,
            y_test=None,
            losses=self.losses,
            metrics=self.metrics,
            loss=next(iter(self.losses)),
            words=words,
        )

    @property
    def spec(self) -> ProblemSpec:
        loss = next(iter(self.losses))
        metrics = [Metric(loss, "loss"), *map(Metric, self.metrics), Metric("best_epoch", "count")]
        loss_fns = tuple(self.losses) if len(self.losses) > 1 else ()
        return ProblemSpec(
            problem="made",
            parameters=(*self.parameters, *trainer_parameters(loss_fns)),
            metrics=(Metric("train_loss"), *metrics),
            loss=loss,
            objectives=(Objective(loss),),
            curve=CURVE,
            cost="epochs",
            compared="optimizer",
        )

    def trial(self, **values: Any) -> Params:
        """A trial of few small epochs: the defaults, but for these."""
        return self.spec.assignment({"epochs": 3, "batch_size": 8, **values})

    def stacked(self, padding: Padding = SIXTY_FOUR, folds: int | None = None) -> StackedEngine:
        return StackedEngine(self, self.spec, SIZE, padding, folds)

    def mlp(self, folds: int | None = None) -> MlpModuleEngine:
        found = perceptrons_at(self(), [self.trial()])
        assert found.cost is not None, found.why_not
        return MlpModuleEngine(self, self.spec, found.cost, found.typical, built_library(), folds)

    def plain(self, folds: int | None = None) -> PlainModuleEngine:
        return PlainModuleEngine(self, self.spec, SIZE, folds)


ACTIVATIONS = ("ReLU", "Tanh", "SiLU", "Sigmoid")
WIDTH = Parameter("width", "int", 5, low=1, high=64)
ACTIVATION = Parameter("activation", "choice", "ReLU", choices=ACTIVATIONS, ordered=False)
DROPOUT = Parameter("dropout", "float", 0.0, low=0.0, high=1.0)

PERCEPTRON = Made(
    perceptron, (WIDTH, ACTIVATION, DROPOUT), losses={"mse": squared, "mae": absolute}
)
_NETWORK = (WIDTH, ACTIVATION, DROPOUT, Parameter("depth", "int", 2, low=0, high=4))
NETWORK = Made(network, _NETWORK, losses={name: LOSSES[name] for name in ("mse", "mae", "huber")})
CLASSES = Made(
    partial(network, outputs=3),
    _NETWORK,
    losses={"cross_entropy": LOSSES["cross_entropy"]},
    metrics={"accuracy": accuracy},
)
MIXED = Made(Mixed, (WIDTH, DROPOUT, ACTIVATION))
CONVOLUTION = Made(
    convolution, (WIDTH,), (1, 6, 6), {"cross_entropy": classes}, {"accuracy": accuracy}
)
RECURRENT = Made(Recurrent, (WIDTH,), (4, 2))
