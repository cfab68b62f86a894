import math
import random
from itertools import pairwise

import pytest

from xortune.sampling.window import window


def shuffled_losses(count: int) -> list[float]:
    return random.Random(0).sample([i / 8 for i in range(count)], count)


def test_up_to_250_trials_are_all_in_it():
    assert window([]) == []
    assert window(shuffled_losses(250)) == list(range(250))


@pytest.mark.parametrize("count", [251, 400, 4000])
def test_of_more_it_has_the_best_25_and_225_others_by_number(count):
    losses = shuffled_losses(count)
    found = window(losses)
    assert len(set(found)) == 250
    assert found == sorted(found)
    assert {i for i in range(count) if losses[i] < 25 / 8} <= set(found)


@pytest.mark.parametrize("count", [251, 400, 4000])
def test_the_others_are_those_at_even_places_of_the_rest(count):
    losses = shuffled_losses(count)
    ranked = sorted(range(count), key=losses.__getitem__)
    rest = sorted(ranked[25:])
    spread = [rest[i * len(rest) // 225] for i in range(225)]
    assert window(losses) == sorted(ranked[:25] + spread)


def test_the_others_are_evenly_spread():
    """Of 4025 trials the best 25 come last: of the 4000 others every 18th or so."""
    found = window([4025 - i for i in range(4025)])
    others = found[:225]
    gaps = [b - a for a, b in pairwise(others)]
    assert found[225:] == list(range(4000, 4025))
    assert (others[0], set(gaps)) == (0, {17, 18})
    assert others[-1] >= 3980


def test_of_equal_trials_the_first_are_the_best():
    assert window([1.0] * 5000)[:25] == list(range(25))


def test_failed_trials_are_infinitely_bad():
    found = window([math.inf if i % 2 else i for i in range(600)])
    assert len(found) == 250
    assert set(range(0, 50, 2)) <= set(found)
    assert any(number % 2 for number in found)
