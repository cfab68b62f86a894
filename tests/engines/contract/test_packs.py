"""A trial's outcome depends on the trial alone: not on its pack, and not on what ran before."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.contract.cases import SOME, all_bits, bits, train
from tests.make import lanes
from xortune.engines.engine import reference_digest


def test_one_trial_fails_among_those_compared_here(expected):
    assert "state='FAIL'" in expected[len(expected) // 2]
    assert sum("state='COMPLETE'" in outcome for outcome in expected.values()) > 50


@pytest.mark.parametrize(("size", "order"), [(1, 0), (2, 1), (7, 2), (64, 3)])
def test_packs_of_any_size_in_any_order(engine, trials, expected, size, order):
    numbers = list(trials)
    random.Random(order).shuffle(numbers)
    found = {}
    # Of small packs some will do.
    for start in range(0, min(16 * size, len(numbers)), size):
        pack = {number: trials[number] for number in numbers[start : start + size]}
        found |= all_bits(train(engine, pack))
    assert found == {number: expected[number] for number in found}


def test_neighbours_that_all_fail(case, engine, trials, expected):
    failing = {1000 + number: case.failing for number in range(20)}
    some = {number: trials[number] for number in range(10)}
    mixed = [pair for two in zip(failing.items(), some.items()) for pair in two]
    found = all_bits(train(engine, dict(mixed)))
    assert {number: found[number] for number in some} == {n: expected[n] for n in some}


def test_one_trainer_trains_each_pack_as_if_it_were_its_first(engine, trials, expected):
    trainer = engine.open("cpu")
    for numbers in ([40, 3], [32], [3, 40], [3]):
        params = [trials[number] for number in numbers]
        outcomes = trainer.train(lanes(params, numbers=numbers), 2)
        assert [*map(bits, outcomes)] == [expected[number] for number in numbers]


def test_a_fresh_process_that_got_the_engine_pickled(case, engine, expected, elsewhere):
    found, digest = elsewhere[case.name]
    assert found == {number: expected[number] for number in sorted(SOME)}
    assert digest == reference_digest(engine, engine.open("cpu"))


@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_any_trial_alone_and_beside_any_others(case, engine, data):
    pack = dict(enumerate(data.draw(st.lists(case.trials, min_size=2, max_size=4))))
    one = data.draw(st.sampled_from(sorted(pack)))
    found = train(engine, pack)
    assert bits(found[one]) == bits(train(engine, {one: pack[one]})[one])
