"""Which trials keep their weights: all that fit, else the best, in whatever order they finish."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.make import SPEC, make_outcome, make_scores, make_trial
from xortune.loop.best_weights import BestWeights
from xortune.ranking import standing
from xortune.trial import FinishedTrial

_BYTES = 36


def finished(number, loss):
    outcome = make_outcome(scores=make_scores(mse=loss))
    return FinishedTrial(make_trial(number), outcome)


def ranks(trials):
    return [standing(SPEC, f.trial, f.outcome.scores) for f in trials]


def keep_all(packs, room):
    """The numbers of the trials whose weights are there in the end."""
    weights, there = BestWeights([], budget=room * _BYTES), set()
    for pack in packs:
        chosen, forgotten = weights.choose(pack, ranks(pack))
        assert there.issuperset(forgotten)
        there.difference_update(forgotten)
        there |= {f.trial.number for f in chosen if f.outcome.weights is not None}
        assert len(there) <= room
    return there


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3]), max_size=40), st.integers(1, 20), st.randoms())
def test_the_best_are_kept_in_any_order_and_in_any_packs(losses, room, dice):
    trials = [finished(number, loss) for number, loss in enumerate(losses)]
    best = sorted(zip(ranks(trials), range(len(trials))))[:room]
    dice.shuffle(trials)
    packs = []
    while trials:
        size = dice.randint(1, 7)
        packs.append(trials[:size])
        trials = trials[size:]
    assert keep_all(packs, room) == {number for _, number in best}


def test_all_are_kept_while_they_fit():
    trials = [finished(number, random.random()) for number in range(50)]
    chosen, forgotten = BestWeights([]).choose(trials, ranks(trials))
    assert (chosen, forgotten) == (trials, [])


def test_a_resumed_search_knows_which_weights_are_kept():
    before = [finished(0, 0.1), finished(1, 0.3)]
    weights = BestWeights(ranks(before), budget=2 * _BYTES)
    better = [finished(2, 0.2)]
    assert weights.choose(better, ranks(better)) == (better, [1])


@pytest.mark.parametrize("budget", [0, 1, _BYTES])
def test_the_best_trial_keeps_its_weights_however_small_the_budget_is(budget):
    trials = [finished(0, 0.2), finished(1, 0.1)]
    chosen, forgotten = BestWeights([], budget).choose(trials, ranks(trials))
    assert [f.outcome.weights is not None for f in chosen] == [False, True]
    assert forgotten == []


def test_failed_trials_have_none_to_keep():
    failed = FinishedTrial(make_trial(3), make_outcome("FAIL"))
    chosen, forgotten = BestWeights([], budget=_BYTES).choose([failed], ranks([failed]))
    assert (chosen, forgotten) == ([failed], [])
    assert replace(failed.outcome, weights=None) == failed.outcome
