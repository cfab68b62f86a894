"""Trials are cut into packs: every trial once, no pack without one."""

from hypothesis import given
from hypothesis import strategies as st

from tests.make import make_trial
from xortune.engines.engine import Pace
from xortune.loop.packing import cut


@given(
    epochs=st.lists(st.integers(1, 10**9), min_size=1, max_size=40),
    cost_per_s=st.floats(1e-3, 1e9),
    largest=st.integers(1, 50),
    workers=st.integers(1, 64),
    most=st.none() | st.integers(1, 60),
)
def test_every_trial_is_in_one_pack_and_no_pack_is_empty(
    epochs, cost_per_s, largest, workers, most
):
    """Also where each trial is worth several workers."""
    pace = Pace(cost_per_s, least_lanes=1, slowest_s=1e-3, largest=largest)
    trials = [make_trial(number, epochs=count) for number, count in enumerate(epochs)]
    packs = cut(trials, lambda params: params["epochs"], pace, workers, most)
    assert sorted(trial.number for pack in packs for trial in pack) == [*range(len(trials))]
    assert all(1 <= len(pack) <= min(largest, most or largest) for pack in packs)
