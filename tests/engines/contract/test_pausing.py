"""A trial that pauses at an epoch and continues, elsewhere and later, loses nothing."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.contract.cases import Case, bits, train
from xortune.engines.engine import Engine
from xortune.trial import Outcome


@pytest.fixture(autouse=True)
def only_engines_that_pause(case) -> None:
    if not case.pauses:
        pytest.skip("the engine has no pauses")


def in_pieces(engine: Engine, trials, log_every: int | None, cuts) -> dict[int, Outcome]:
    """Outcomes of a pack that pauses at every cut, for trials that are still running there."""
    outcomes = train(engine, trials, log_every, until=cuts[0])
    for until in (*cuts[1:], None):
        left = {n: trials[n] for n, outcome in outcomes.items() if outcome.state == "RUNNING"}
        if left:
            paused = [pickle.loads(pickle.dumps(outcomes[number].paused)) for number in left]
            outcomes |= train(engine, left, log_every, paused, until=until)
    return outcomes


def compared(outcome: Outcome) -> object:
    """A trial that fails is not trained to its end, and its curve ends with the failure."""
    return ("FAIL", outcome.error) if outcome.state == "FAIL" else bits(outcome)


def most(case: Case) -> int:
    return max(case.values[case.spec.cost])


@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_cuts_leave_the_bits_alone(case, engine, data):
    trials = dict(enumerate(data.draw(st.lists(case.trials, min_size=1, max_size=3))))
    trials[7] = case.failing
    log_every = data.draw(st.sampled_from((None, 1, 3, 1000)))
    epochs = st.integers(0, most(case))
    cuts = data.draw(st.lists(epochs, min_size=1, max_size=3).map(sorted))
    found = in_pieces(engine, trials, log_every, cuts)
    for number, outcome in train(engine, trials, log_every).items():
        assert compared(found[number]) == compared(outcome)


@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_trials_continue_beside_others_that_paused_elsewhere_or_never_began(case, engine, data):
    trials = dict(enumerate(data.draw(st.lists(case.trials, min_size=2, max_size=4))))
    states = []
    for number, params in trials.items():
        until = data.draw(st.integers(0, most(case)))
        outcome = train(engine, {number: params}, until=until)[number]
        states.append(outcome.paused)
    found = train(engine, trials, paused=states)
    for number, outcome in train(engine, trials).items():
        assert compared(found[number]) == compared(outcome)


def test_a_paused_trial_is_running_at_that_epoch(case, engine):
    cost = case.spec.cost
    params = case.spec.assignment({cost: 5})
    outcome = train(engine, {0: params}, until=2)[0]
    assert (outcome.state, outcome.paused.epoch) == ("RUNNING", 2)
    assert outcome.curve.epochs[-1] == 2
    assert outcome.scores.keys() == set(case.spec.metric_names)


def test_a_pause_at_the_epoch_of_the_last_one_trains_nothing(case, engine):
    params = case.spec.assignment({case.spec.cost: 5})
    first = train(engine, {0: params}, until=3)[0]
    for until in (0, 3):
        again = train(engine, {0: params}, paused=[first.paused], until=until)[0]
        assert bits(again) == bits(first)


def test_trials_that_end_before_the_pause_or_with_it_are_complete(case, engine):
    trials = {n: case.spec.assignment({case.spec.cost: n}) for n in (2, 3, 4)}
    states = [outcome.state for outcome in train(engine, trials, until=3).values()]
    assert states == ["COMPLETE", "COMPLETE", "RUNNING"]
