"""How many stacks a generation makes, how full they are, and what follows for the engine."""

import pytest

from tests.modules import PERCEPTRON
from xortune.engines.module_size import ModuleSize
from xortune.engines.plain.module_engine import PlainModuleEngine
from xortune.engines.stacked.choice import choose
from xortune.engines.stacked.crowding import stacks_in_words, stacks_of
from xortune.engines.stacked.engine import StackedEngine
from xortune.engines.stacked.fitness import looked_at
from xortune.engines.stacked.padding import Padding

SIZE = ModuleSize(7360, 47, rows=256, validation_rows=128, weights=1377)


def paces(stacks, padding):
    stacked = StackedEngine(PERCEPTRON, PERCEPTRON.spec, SIZE, padding, stacks=stacks)
    return stacked.pace("cpu"), PlainModuleEngine(PERCEPTRON, PERCEPTRON.spec, SIZE).pace("cpu")


def test_there_is_a_stack_for_each_structure_and_batch_size():
    points = [PERCEPTRON.trial(seed=n, batch_size=8 + 8 * (n % 4 == 0)) for n in range(8)]
    assert stacks_of(PERCEPTRON(), points, 8, 512) == (6, 2)
    assert stacks_of(PERCEPTRON(), points, 80, 512) == (60, 20)
    assert stacks_of(PERCEPTRON(), points, 8000, 512) == (512, 512)


@pytest.mark.parametrize(
    ("stacks", "words"),
    [
        ((1,), "one stack of 1 training"),
        ((512,), "one stack of 512 trainings"),
        ((1, 1), "2 stacks of 1 training"),
        ((9, 4, 1), "3 stacks of 1 to 9 trainings"),
    ],
)
def test_stacks_are_told_in_words(stacks, words):
    assert stacks_in_words(stacks) == words


def test_full_stacks_are_faster_than_one_trial_at_a_time_and_empty_ones_slower():
    for stacks, padding, is_faster in (
        ((64,), Padding(), True),
        ((1,) * 20, Padding(), False),
        ((8,) * 8, Padding(64, 64), False),
        ((64,), Padding(64, 64), True),
    ):
        stacked, plain = paces(stacks, padding)
        assert (stacked.cost_per_s > plain.cost_per_s) is is_faster, (stacks, padding)


def test_trials_train_one_at_a_time_where_stacks_would_be_nearly_empty():
    found = looked_at(PERCEPTRON(), [PERCEPTRON.trial()])
    engine, words = choose(found, (1,) * 20, paces((1,) * 20, Padding()))
    assert engine == "plain"
    assert "since a generation falls into 20 stacks of 1 training, which would take longer" in words
    engine, words = choose(found, (64,), paces((64,), Padding()))
    assert engine == "stacked"
    assert words.endswith(
        "same bits in any pack; a generation falls into one stack of 64 trainings"
    )


def test_the_estimate_of_a_generation_is_the_time_of_its_stacks():
    few, many = (paces(stacks, Padding())[0] for stacks in ((8,), (8,) * 8))
    seconds = [
        max(sum(s), p.least_lanes) / p.cost_per_s for s, p in (((8,), few), ((8,) * 8, many))
    ]
    assert seconds[1] == pytest.approx(8 * seconds[0])
