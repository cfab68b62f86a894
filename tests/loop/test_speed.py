"""The speed of a search whose engine cannot tell it: packs grow to about a second."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.make import make_trial
from xortune.engines.engine import Pace
from xortune.loop.packing import cut, patience
from xortune.loop.speed import Speed
from xortune.trial import Pack

UNKNOWN = Pace(1.0, 1, math.inf, 1000, measured=True)


def packs(trial_s, first_s=None, pack_size=None):
    """The sizes of the packs of 3,000 trials, one after the other."""
    speed, sizes, left = Speed(), [], 3000
    while left:
        size = min(speed.pace(UNKNOWN, pack_size).largest, left)
        seconds = [trial_s] * size
        if not sizes and first_s is not None:
            seconds[0] = first_s
        speed.note([1.0] * size, seconds)
        sizes.append(size)
        left -= size
    return sizes


def test_packs_begin_with_one_trial_and_grow():
    assert packs(1e-5) == [1, 4, 16, 64, 256, 1000, 1000, 659]


@pytest.mark.parametrize(("trial_s", "size"), [(0.01, 100), (0.3, 3), (5.0, 1)])
def test_packs_take_about_a_second(trial_s, size):
    assert max(packs(trial_s)) == size


def test_the_first_trial_may_import_for_long():
    assert packs(1e-5, first_s=3.0)[:4] == [1, 1, 4, 16]


def test_a_given_size_decides():
    assert set(packs(5.0, pack_size=60)) == {60}


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=20),
    st.integers(1, 5),
)
def test_any_measurement_gives_a_pace(pairs, at_once):
    speed = Speed()
    assert speed.trial_s is None
    for first in range(0, len(pairs), at_once):
        speed.note(*zip(*pairs[first : first + at_once]))
    pace = speed.pace(UNKNOWN, None)
    assert 1 <= pace.largest <= 1000
    assert 0 < pace.cost_per_s < math.inf
    assert speed.trials == len(pairs)
    later = [seconds for _, seconds in pairs[1:]] or [pairs[0][1]]
    assert speed.trial_s == pytest.approx(sum(later) / len(later))


def test_an_engine_that_knows_its_pace_is_left_alone():
    known = Pace(1e4, 1, 1e-3, 64)
    speed = Speed()
    speed.note([1.0], [9.0])
    assert speed.pace(known, None) is known


def test_packs_are_cut_by_what_was_measured():
    speed = Speed()
    speed.note([1.0] * 100, [1 / 64] * 100)
    trials = [make_trial(number) for number in range(100)]
    pace = speed.pace(UNKNOWN, None)
    # A second and a half of work: two packs here, and one for each half second on many workers.
    assert [len(pack) for pack in cut(trials, lambda p: 1.0, pace, 1, None)] == [50, 50]
    assert [len(pack) for pack in cut(trials, lambda p: 1.0, pace, 9, None)] == [25] * 4


def test_no_worker_is_taken_for_hung_unless_trials_have_a_limit():
    pack = Pack(0, tuple(make_trial(number) for number in range(3)))
    assert patience(pack, lambda p: 1.0, UNKNOWN) == math.inf
    limited = Pace(1.0, 1, 5.0, 1000, measured=True)
    assert patience(pack, lambda p: 1.0, limited) == 60 + 10 * 3 * 5
