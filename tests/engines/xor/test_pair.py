"""The compiled engine against the eager one: close, but not the same bits."""

import random
from collections.abc import Sequence

import pytest

from xortune.engines.xor import train_pack
from xortune.engines.xor.compiled import CompiledEngine
from xortune.trial import LOSS_FNS, Outcome, Params

TRIALS = 600


@pytest.fixture(scope="module")
def params() -> list[Params]:
    draw = random.Random(3)
    return [
        Params(10 ** draw.uniform(-2, 0), draw.randint(1, 4000), draw.randrange(2**32), loss_fn)
        for loss_fn in LOSS_FNS * (TRIALS // 3)
    ]


@pytest.fixture(scope="module")
def eager(params) -> list[Outcome]:
    return train_pack(params)


@pytest.fixture(scope="module")
def compiled(params, compiled_step) -> list[Outcome]:
    return train_pack(params, step=compiled_step)


def close(values: Sequence[float], scale: float = 1e-3):
    return pytest.approx(values, rel=scale, abs=1e-7)


def test_they_begin_with_the_same_weights(params, eager, compiled):
    """Of which the compiled engine rounds losses once, and PyTorch after every operation."""
    for p, one, two in zip(params, eager, compiled):
        assert two.curve.training[0] == pytest.approx(one.curve.training[0], rel=1e-6), p
        assert two.curve.validation[0] == pytest.approx(one.curve.validation[0], rel=1e-6), p


def test_they_do_not_round_alike(eager, compiled):
    """Else one of them would not be what it says, or the two need no names."""
    assert sum(one.weights != two.weights for one, two in zip(eager, compiled)) > TRIALS / 2


def test_curves_have_the_same_epochs_and_are_close(params, eager, compiled):
    for p, one, two in zip(params, eager, compiled):
        assert two.curve.epochs == one.curve.epochs
        assert two.curve.training == close(one.curve.training), p
        assert two.curve.validation == close(one.curve.validation), p


def test_weights_are_close(params, eager, compiled):
    for p, one, two in zip(params, eager, compiled):
        assert two.weights == pytest.approx(one.weights, rel=1e-3, abs=1e-4), p


def test_scores_are_close(params, eager, compiled):
    for p, one, two in zip(params, eager, compiled):
        for name in ("train_loss", "mse", "bce"):
            assert getattr(two.scores, name) == close(getattr(one.scores, name)), p


def test_the_same_trials_are_solved(params, eager, compiled):
    solved = [[o.scores.accuracy == 1 for o in outcomes] for outcomes in (eager, compiled)]
    assert solved[0] == solved[1]
    assert 0 < sum(solved[0]) < TRIALS


def test_the_same_trials_fail_at_the_same_epoch(compiled_step):
    diverging = [Params(3e38, 40, seed, LOSS_FNS[seed % 3]) for seed in range(60)]
    eager, compiled = (train_pack(diverging, step=step) for step in (None, compiled_step))
    assert [o.error for o in compiled] == [o.error for o in eager]
    assert {o.state for o in eager} == {"COMPLETE", "FAIL"}


@pytest.mark.parametrize("data", ["xor", "lab"])
def test_both_learn_the_targets_they_are_given(compiled_step, data):
    """The compiled step is told the targets alone, in the rows' own order."""
    params = [Params(1.0, 200, seed) for seed in range(30)]
    for step in (None, compiled_step):
        for outcome, other in zip(
            train_pack(params, data, step=step), train_pack(params, data, step=None)
        ):
            assert outcome.scores.mse == close(other.scores.mse)
    by_data = [
        [o.scores.mse for o in train_pack(params, d, step=compiled_step)] for d in ("xor", "lab")
    ]
    assert by_data[0] != by_data[1]


def test_a_block_may_be_read_while_it_is_trained(compiled_step):
    block = CompiledEngine("xor", compiled_step).block([Params(1.0, 4, 7)])
    seen = [block.trained()]
    for epoch in (2, 4):
        block.advance(epoch)
        seen.append(block.trained())
    assert len({array.tobytes() for array in seen}) == 3
