"""Training that pauses and continues has the bits of training without a break, on each engine."""

import math
import pickle
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.xor.packs import bits, train_pack
from tests.make import make_params
from xortune.engines.engine import Engine
from xortune.problems.xor.spec import LOSS_FNS
from xortune.trial import Outcome, Params

MOST = 40
# The last is so large that many trials fail, some with a loss that is infinite in between.
RATES = st.sampled_from((0.1, 2.0, 50.0, 3e38))
PARAMS = st.builds(
    make_params, RATES, st.integers(1, MOST), st.integers(0, 30), st.sampled_from(LOSS_FNS)
)
PACKS = st.lists(PARAMS, min_size=1, max_size=6)


def in_pieces(
    engine: Engine, params: Sequence[Params], log_every: int, cuts: Sequence[int]
) -> list[Outcome]:
    """Outcomes of a pack that pauses at every cut, for trials that are still running there."""
    outcomes = train_pack(engine, params, log_every, until=cuts[0])
    for until in (*cuts[1:], None):
        left = [i for i, outcome in enumerate(outcomes) if outcome.state == "RUNNING"]
        if left:
            paused = [pickle.loads(pickle.dumps(outcomes[i].paused)) for i in left]
            some = [params[i] for i in left]
            trained = train_pack(engine, some, log_every, until=until, paused=paused)
            for i, outcome in zip(left, trained):
                outcomes[i] = outcome
    return outcomes


def without_curve(outcome: Outcome) -> str:
    """A trial that fails is not trained to its end, and its curve ends with the failure."""
    return bits(replace(outcome, curve=None))


@given(
    params=PACKS,
    log_every=st.integers(1, MOST + 5),
    cuts=st.lists(st.integers(0, MOST), min_size=1, max_size=4).map(sorted),
)
@settings(max_examples=60, deadline=None)
def test_any_cuts_leave_the_bits_alone(engine, params, log_every, cuts):
    found = in_pieces(engine(), params, log_every, cuts)
    for one, other in zip(found, train_pack(engine(), params, log_every)):
        if other.state == "FAIL":
            assert without_curve(one) == without_curve(other)
        else:
            assert bits(one) == bits(other)


@given(
    params=PACKS,
    others=st.lists(PARAMS, max_size=6),
    cuts=st.lists(st.integers(0, MOST), min_size=12, max_size=12),
)
@settings(max_examples=30, deadline=None)
def test_trials_continue_beside_others_that_paused_elsewhere_or_never_began(
    engine, params, others, cuts
):
    paused = []
    for trial, cut in zip(params, cuts):
        (outcome,) = train_pack(engine(), [trial], 7, until=cut)
        paused.append(outcome.paused)
    neighbours = [*others, *params]
    found = train_pack(engine(), neighbours, 7, paused=[*[None] * len(others), *paused])
    expected = train_pack(engine(), neighbours, 7)
    for one, other in zip(found, expected):
        compared = bits if other.state == "COMPLETE" else without_curve
        assert compared(one) == compared(other)


def test_trials_that_paused_at_different_epochs_continue_together(engine):
    params = [make_params(2.0, 20 + s, s, LOSS_FNS[s % 3]) for s in range(18)]
    ahead = [train_pack(engine(), [p], 4, until=1 + s)[0] for s, p in enumerate(params)]
    found = train_pack(engine(), params, 4, paused=[outcome.paused for outcome in ahead])
    assert [*map(bits, found)] == [*map(bits, train_pack(engine(), params, 4))]


@pytest.mark.parametrize("until", [1, 7, 30])
def test_a_paused_trial_looks_like_one_that_ends_there(engine, until):
    params = [make_params(2.0, 31 + s, s, LOSS_FNS[s % 3]) for s in range(9)]
    shorter = [make_params(**{**trial, "epochs": until}) for trial in params]
    there = train_pack(engine(), shorter, 5)
    for one, other in zip(train_pack(engine(), params, 5, until=until), there):
        assert (one.state, one.paused.epoch) == ("RUNNING", until)
        assert (one.scores, one.curve, one.weights) == (other.scores, other.curve, other.weights)
        assert one.paused.arrays["weights"].content == other.weights.content


def test_trials_that_end_before_the_pause_or_with_it_are_complete(engine):
    params = [make_params(epochs=epochs) for epochs in (3, 10, 11)]
    outcomes = train_pack(engine(), params, until=10)
    assert [outcome.state for outcome in outcomes] == ["COMPLETE", "COMPLETE", "RUNNING"]
    assert [outcome.paused is None for outcome in outcomes] == [True, True, False]


def test_a_pause_at_the_epoch_of_the_last_one_trains_nothing(engine):
    params = [make_params(epochs=20)]
    (first,) = train_pack(engine(), params, until=9)
    (again,) = train_pack(engine(), params, until=9, paused=[first.paused])
    assert bits(again) == bits(first)
    assert again.duration_s == 0


def test_a_loss_that_is_infinite_between_two_pauses_alone_fails_there(engine):
    """At the last epoch the losses of some such trials are finite again."""
    params = [make_params(3e38, 61, seed, "bce_with_logits") for seed in range(60)]
    whole = train_pack(engine(), params, 1)
    passing = [
        i
        for i, outcome in enumerate(whole)
        if outcome.state == "FAIL" and math.isfinite(outcome.curve.series["training"][-1])
    ]
    assert passing
    lost = [int(whole[i].error.rpartition(" ")[2]) for i in passing]
    for cuts in ([max(lost) + 1], [min(lost) - 1], [min(lost) - 1, max(lost) + 1], range(61)):
        found = in_pieces(engine(), params, 500, cuts)
        for i in passing:
            assert (found[i].state, found[i].error) == ("FAIL", whole[i].error)


def test_durations_are_those_of_the_epochs_since_the_pause(engine):
    params = [make_params(epochs=30), make_params(epochs=50)]
    paused = [outcome.paused for outcome in train_pack(engine(), params, until=20)]
    one, two = train_pack(engine(), params, paused=paused)
    assert two.duration_s == pytest.approx(3 * one.duration_s)
