"""A trial's outcome has the same bits in any pack and at any place in it, on each engine."""

import random
from collections.abc import Callable, Iterator, Sequence

import pytest
import torch

from tests.engines.xor.packs import bits, train_pack
from tests.make import make_params
from xortune.problems.xor.spec import LOSS_FNS
from xortune.trial import Params

LANES = 1024
BLOCK = 4096
DIVERGING = 500
LOG_EVERY = 40

Train = Callable[[Sequence[Params]], list[str]]
InPacks = Callable[[Sequence[Params], int, int], list[str]]


def random_params(count: int, most_epochs: int) -> list[Params]:
    draw = random.Random(count)
    return [
        make_params(
            lr=10 ** draw.uniform(-2, 2),
            epochs=draw.randint(1, most_epochs),
            seed=draw.randrange(2**32),
            loss_fn=draw.choice(LOSS_FNS),
        )
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def train(engine) -> Train:
    """Trains one pack."""

    def train(params: Sequence[Params]) -> list[str]:
        return [bits(outcome) for outcome in train_pack(engine(), params, LOG_EVERY)]

    return train


@pytest.fixture(scope="module")
def in_packs(train: Train) -> InPacks:
    """Trains in packs of `size` in a random order; gives the outcomes in that of `params`."""

    def in_packs(params: Sequence[Params], size: int, order: int) -> list[str]:
        places = list(range(len(params)))
        random.Random(order).shuffle(places)
        trained: dict[int, str] = {}
        for start in range(0, len(places), size):
            pack = places[start : start + size]
            trained.update(zip(pack, train([params[i] for i in pack])))
        return [trained[i] for i in range(len(params))]

    return in_packs


@pytest.fixture(scope="module")
def params() -> list[Params]:
    mixed = random_params(LANES, 120)
    mixed[DIVERGING] = make_params(3e38, 80, 0, "bce_with_logits")
    return mixed


@pytest.fixture(scope="module")
def expected(params, train) -> list[str]:
    return train(params)


@pytest.fixture
def two_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


def test_a_lane_diverges_among_those_compared_here(expected):
    assert ["FAIL" in outcome for outcome in expected].count(True) == 1
    assert "FAIL" in expected[DIVERGING]


def test_lanes_alone(params, expected, train):
    for i in {*range(0, LANES, 16), DIVERGING}:
        assert train([params[i]]) == [expected[i]], params[i]


@pytest.mark.parametrize("order", range(3))
@pytest.mark.parametrize("size", [7, 64, 1024])
def test_packs_of_any_size_in_any_order(params, expected, in_packs, size, order):
    assert in_packs(params, size, order) == expected


def test_neighbours_that_all_diverge(params, expected, train):
    neighbours = [make_params(**{**params[DIVERGING], "seed": seed}) for seed in range(64)]
    mixed = [p for pair in zip(params, neighbours) for p in pair]
    assert train(mixed)[::2] == expected[:64]


def test_more_than_one_thread(params, expected, train, two_threads):
    assert train(params) == expected
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("threads", [1, 2])
def test_across_the_boundary_of_a_block(train, in_packs, threads, two_threads):
    torch.set_num_threads(threads)
    params = random_params(BLOCK + 300, 3)
    expected = train(params)
    assert in_packs(params, len(params), order=1) == expected
    assert in_packs(params, 999, order=2) == expected
    around = slice(BLOCK - 40, BLOCK + 40)
    assert [train([p])[0] for p in params[around]] == expected[around]


def test_how_often_the_curve_is_looked_at_leaves_the_training_alone(params, engine):
    for log_every in (1, 7, 1000):
        outcomes = train_pack(engine(), params[:100], log_every)
        others = train_pack(engine(), params[:100], LOG_EVERY)
        for outcome, other in zip(outcomes, others):
            assert outcome.weights == other.weights
            assert outcome.scores == other.scores
