"""Blocks of which many lanes have ended are joined, and no bit depends on it."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.make import lanes
from tests.tables import TARGETS, make_rows, make_spec, make_trial
from xortune.engines.mlp import grouping, turns
from xortune.engines.mlp.native.library import CFunctions, Run
from xortune.engines.mlp.trainer import MlpTrainer
from xortune.problems.table.rows import Fold
from xortune.trial import Outcome, Params


class Counting(CFunctions):
    """C, with a count of the epochs that its blocks train."""

    trained = 0

    def epochs(self, run: Run, count: int) -> int:
        done = super().epochs(run, count)
        self.trained += done
        return done


@pytest.fixture
def counting(functions, monkeypatch) -> Counting:
    monkeypatch.setattr(turns, "_SHORT_S", 0.0)  # a turn is an epoch
    monkeypatch.setattr(turns, "_LONG_S", 0.0)
    monkeypatch.setattr(grouping, "_ALONE", (1e9,) * 5)  # no lane is better alone
    found = Counting.__new__(Counting)
    found.__dict__.update(functions.__dict__)
    return found


def trainer(functions: CFunctions) -> MlpTrainer:
    rows = make_rows("regression", 70), make_rows("regression", 15, seed=1)
    return MlpTrainer(Fold(*rows, TARGETS["regression"]), (), make_spec(), functions)


def bits(outcome: Outcome) -> str:
    return repr(replace(outcome, duration_s=None, worker=None))


def alone(functions: CFunctions, trials: list[Params], until: int | None = None) -> list[str]:
    each = (trainer(functions).train(lanes([one]), 3, until=until) for one in trials)
    return [bits(outcome) for (outcome,) in each]


def test_long_lanes_of_many_blocks_take_the_time_of_one_block(counting):
    trials = [make_trial(epochs=100 if i % 20 == 0 else 2, seed=i, lr=0.01) for i in range(160)]
    # In the order in which they are, long lanes are in every block.
    found = trainer(counting).train(lanes(trials), 3)
    assert counting.trained <= 100 + 10 * 3
    assert [*map(bits, found)] == alone(counting, trials)


def test_lanes_that_stop_early_leave_their_blocks_to_others(counting):
    trials = [
        make_trial(epochs=200, early_stopping=2 if i % 16 else 0, seed=i, lr=0.1) for i in range(64)
    ]
    found = trainer(counting).train(lanes(trials), 3)
    assert counting.trained < 2 * 200
    assert [*map(bits, found)] == alone(counting, trials)


def test_lanes_that_fail_leave_their_blocks_to_others(counting):
    trials = [
        make_trial(epochs=60, optimizer="sgd", seed=i, lr=3e38 if i % 16 else 0.01)
        for i in range(64)
    ]
    found = trainer(counting).train(lanes(trials), 3)
    assert counting.trained < 2 * 60
    assert [outcome.state for outcome in found].count("FAIL") == 60
    assert [*map(bits, found)] == alone(counting, trials)


@given(data=st.data(), until=st.sampled_from((None, 0, 4)))
@settings(max_examples=5, deadline=None)
def test_any_lanes_have_the_bits_that_they_have_alone(functions, data, until):
    values = {
        "width": st.sampled_from((2, 5, 40)),
        "depth": st.integers(0, 2),
        "epochs": st.integers(1, 25),
        "early_stopping": st.integers(0, 3),
        "optimizer": st.sampled_from(("adam", "sgd", "nesterov")),
        "dropout": st.sampled_from((0.0, 0.3)),
        "batch_size": st.sampled_from((8, 32, 64, 40)),
        "lr": st.sampled_from((1e-3, 0.1, 3e38)),
        "seed": st.integers(0, 99),
    }
    drawn = data.draw(st.lists(st.fixed_dictionaries(values), min_size=30, max_size=60))
    trials = [make_trial(**one) for one in drawn]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "_SHORT_S", 0.0)
        patch.setattr(turns, "_LONG_S", 0.0)
        found = trainer(functions).train(lanes(trials), 3, until=until)
    assert [*map(bits, found)] == alone(functions, trials, until)


def test_blocks_wait_for_memory_and_have_the_same_bits(functions, monkeypatch):
    trials = [make_trial(epochs=2 + i % 9, width=3 + i, seed=i) for i in range(50)]
    expected = alone(functions, trials)
    monkeypatch.setattr(turns, "_MOST_BYTES", 1)
    assert [*map(bits, trainer(functions).train(lanes(trials), 3))] == expected


def test_the_lanes_share_the_time_of_their_blocks(functions):
    trials = [make_trial(epochs=1 + i % 30, seed=i) for i in range(40)]
    opened = trainer(functions)
    started = time.perf_counter()
    shares = [outcome.duration_s for outcome in opened.train(lanes(trials), 3)]
    assert 0 < sum(shares) < time.perf_counter() - started
    assert min(shares) > 0
