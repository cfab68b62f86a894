"""A lane has the same bits in packs of any size, in any order, with a failing one among them."""

import random
from dataclasses import dataclass, replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.make import lanes
from tests.modules import CONVOLUTION, MIXED, PERCEPTRON, RECURRENT, SIXTY_FOUR, Made
from xortune.engines.stacked.padding import Padding
from xortune.engines.stacked.tails import Tails
from xortune.problems.trainer_parameters import OPTIMIZERS
from xortune.trial import Outcome, Params


@dataclass(frozen=True)
class Odd:
    """A network of odd widths, so that lanes do not fill whole vectors."""

    activation: str
    norm: bool = False

    def __call__(self) -> nn.Module:
        act = getattr(nn, self.activation)
        norm = [nn.LayerNorm(13)] if self.norm else []
        return nn.Sequential(
            nn.Linear(3, 13), *norm, act(), nn.Linear(13, 7), act(), nn.Linear(7, 1)
        )


TWO = Padding()
QUICK = {"Tanh": (Made(Odd("Tanh")), TWO), "Sigmoid": (Made(Odd("Sigmoid")), SIXTY_FOUR)}
MORE = {
    **{name: (Made(Odd(name)), TWO) for name in ("ReLU", "GELU")},
    **{name: (Made(Odd(name)), SIXTY_FOUR) for name in ("SiLU", "ELU", "Softplus")},
    "LayerNorm": (Made(Odd("Tanh", norm=True)), TWO),
    "convolution": (CONVOLUTION, TWO),
    "recurrent": (RECURRENT, TWO),
    "perceptron": (PERCEPTRON, SIXTY_FOUR),
    "buffers and dropout": (MIXED, SIXTY_FOUR),
}


def bits(outcome: Outcome) -> str:
    return repr(replace(outcome, duration_s=None, worker=None))


def drawn(made: Made, count: int) -> list[Params]:
    """Trials of few steps; one in the middle diverges."""
    found = []
    for seed in range(count):
        values = {
            "seed": seed,
            "optimizer": OPTIMIZERS[seed % len(OPTIMIZERS)],
            "lr": (0.01, 0.05)[seed % 2],
            "weight_decay": (0.0, 0.01)[seed % 3 == 0],
            "epochs": 1 + seed % 2,
            "batch_size": 7,
            "dropout": 0.3,
        }
        found.append(
            made.spec.assignment({k: v for k, v in values.items() if k in made.spec.names})
        )
    found[count // 2] = made.trial(lr=3e38, optimizer="sgd", epochs=2, batch_size=7)
    return found


def differing(made: Made, padding: Padding, count: int, sizes: tuple[int, ...]) -> list[tuple]:
    """The lanes whose bits in packs of other sizes are not those of the largest pack."""
    params = drawn(made, count)
    trainer = made.stacked(padding).open("cpu")
    expected = [*map(bits, trainer.train(lanes(params), 1))]
    assert "FAIL" in expected[count // 2]
    assert sum("COMPLETE" in outcome for outcome in expected) == count - 1
    found = []
    for size in sizes:
        numbers = [*range(count)]
        random.Random(size).shuffle(numbers)
        for start in range(0, min(count, 5 * size), size):
            some = numbers[start : start + size]
            outcomes = trainer.train(lanes([params[n] for n in some], numbers=some), 1)
            found += [(size, n) for n, one in zip(some, outcomes) if bits(one) != expected[n]]
    return found


@pytest.mark.parametrize(("made", "padding"), QUICK.values(), ids=QUICK)
def test_packs_of_1_2_7_64_and_201_lanes(made, padding):
    assert differing(made, padding, 201, (1, 2, 7, 64)) == []


@pytest.mark.long
@pytest.mark.parametrize(("made", "padding"), {**QUICK, **MORE}.values(), ids={**QUICK, **MORE})
def test_packs_of_1_2_7_64_201_and_1000_lanes(made, padding):
    assert differing(made, padding, 1000, (1, 2, 7, 64, 201)) == []


def test_lanes_that_fill_no_whole_vectors_differ_where_operations_are_found_to():
    """So neither these tests nor the search for such operations is idle."""
    with Tails() as tails:
        torch.sigmoid(torch.linspace(-3, 3, 50))
    if not tails.found:
        pytest.skip("this processor computes the last numbers as the others")
    assert tails.found == ["sigmoid"]
    assert differing(Made(Odd("Sigmoid")), TWO, 201, (1, 2, 7))


def test_operations_that_are_exact_or_computed_in_whole_vectors_are_not_found():
    with Tails() as tails:
        x = torch.linspace(-3, 3, 50)
        for call in (torch.tanh, torch.relu, torch.exp, F.gelu, torch.square, torch.neg):
            call(x)
        x * x + x.abs().sqrt() / 3
    assert tails.found == []
