"""The compiled engine against the eager one: close, but not the same bits."""

import random
from collections.abc import Sequence

import pytest

from tests.engines.xor.packs import train_pack, whole
from tests.make import make_params
from xortune.problems.xor.spec import LOSS_FNS
from xortune.trial import Outcome, Params

TRIALS = 600


@pytest.fixture(scope="module")
def params() -> list[Params]:
    draw = random.Random(3)
    return [
        make_params(
            10 ** draw.uniform(-2, 0), draw.randint(1, 4000), draw.randrange(2**32), loss_fn
        )
        for loss_fn in LOSS_FNS * (TRIALS // 3)
    ]


@pytest.fixture(scope="module")
def by_eager(eager, params) -> list[Outcome]:
    return train_pack(eager(), params)


@pytest.fixture(scope="module")
def by_compiled(compiled, params) -> list[Outcome]:
    return train_pack(compiled(), params)


def close(values: Sequence[float], scale: float = 1e-3):
    return pytest.approx(values, rel=scale, abs=1e-7)


def test_both_engines_begin_with_the_same_weights(params, by_eager, by_compiled):
    """The compiled engine rounds a loss once, and PyTorch after every operation."""
    for p, one, two in zip(params, by_eager, by_compiled):
        for name, losses in one.curve.series.items():
            assert two.curve.series[name][0] == pytest.approx(losses[0], rel=1e-6), p


def test_the_engines_do_not_round_alike(by_eager, by_compiled):
    """Else one of them would not be what it says, or the two need no names."""
    assert sum(one.weights != two.weights for one, two in zip(by_eager, by_compiled)) > TRIALS / 2


def test_curves_have_the_same_epochs_and_are_close(params, by_eager, by_compiled):
    for p, one, two in zip(params, by_eager, by_compiled):
        assert two.curve.epochs == one.curve.epochs
        assert two.curve.series.keys() == one.curve.series.keys()
        for name, losses in one.curve.series.items():
            assert two.curve.series[name] == close(losses), p


def test_weights_are_close(params, by_eager, by_compiled):
    for p, one, two in zip(params, by_eager, by_compiled):
        expected = pytest.approx(one.weights.numbers(), rel=1e-3, abs=1e-4)
        assert two.weights.numbers() == expected, p


def test_scores_are_close(params, by_eager, by_compiled):
    for p, one, two in zip(params, by_eager, by_compiled):
        for name in ("train_loss", "mse", "bce"):
            assert two.scores[name] == close(one.scores[name]), p


def test_the_same_trials_are_solved(params, by_eager, by_compiled):
    solved = [[o.scores["accuracy"] == 1 for o in outcomes] for outcomes in (by_eager, by_compiled)]
    assert solved[0] == solved[1]
    assert 0 < sum(solved[0]) < TRIALS


def test_the_same_trials_fail_at_the_same_epoch(eager, compiled):
    diverging = [make_params(3e38, 40, seed, LOSS_FNS[seed % 3]) for seed in range(60)]
    one, two = (train_pack(engine(), diverging) for engine in (eager, compiled))
    assert [o.error for o in two] == [o.error for o in one]
    assert {o.state for o in one} == {"COMPLETE", "FAIL"}


@pytest.mark.parametrize("data", ["xor", "lab"])
def test_both_engines_learn_the_targets_of_their_data(eager, compiled, data):
    """C knows only the targets, in the rows' order."""
    params = [make_params(1.0, 200, seed) for seed in range(30)]
    one, two = (train_pack(engine(data), params) for engine in (eager, compiled))
    assert [o.scores["mse"] for o in two] == close([o.scores["mse"] for o in one])
    other = train_pack(compiled("lab" if data == "xor" else "xor"), params)
    assert [o.scores["mse"] for o in two] != [o.scores["mse"] for o in other]


def test_a_block_may_be_read_while_it_is_trained(compiled_kernels):
    block = compiled_kernels().block(whole([make_params(1.0, 4, 7)]))
    seen = [block.trained()]
    for epoch in (2, 4):
        block.advance(epoch)
        seen.append(block.trained())
    assert len({array.tobytes() for array in seen}) == 3
