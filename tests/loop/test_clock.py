"""The clock that measures where the time of a run goes."""

from dataclasses import astuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xortune.loop.clock import Clock
from xortune.loop.search import _trained_s
from xortune.run_time import RunTime
from xortune.trial import Outcome, Replicate


class Driver:
    """A driver whose time passes as it is told."""

    def __init__(self):
        self.now = 100.0
        self.clock = Clock(lambda: self.now)

    def wait(self, seconds):
        self.now += seconds

    def sample(self, seconds):
        with self.clock.sampling():
            self.wait(seconds)

    def write(self, seconds):
        with self.clock.writing():
            self.wait(seconds)

    def out(self, *packs):
        for pack in packs:
            self.clock.pack_out(pack)

    def back(self, pack, trained):
        self.clock.pack_back(pack, trained)


@pytest.fixture
def driver():
    return Driver()


def test_one_worker(driver):
    driver.wait(1)
    driver.sample(2)
    driver.out(0)
    driver.wait(7)  # of these, four for the worker to start
    driver.back(0, 3)
    driver.write(0.5)
    driver.sample(0.25)
    driver.out(1)
    driver.wait(2)
    driver.back(1, 1.5)
    driver.write(0.25)
    assert driver.clock.total(1) == RunTime(
        wall=13, start_up=5, sampler=2.25, writing=0.75, workers=1, training=4.5, queue=0.5, idle=1
    )


def test_two_workers_overlap(driver):
    driver.out(0, 1)
    driver.wait(4)
    driver.back(0, 4)
    driver.wait(1)
    driver.out(2)
    driver.wait(3)
    driver.back(1, 8)
    driver.back(2, 3)
    found = driver.clock.total(2)
    assert (found.wall, found.start_up, found.training) == (8, 0, 15)
    assert (found.queue, found.idle) == (0, 1)


def test_packs_that_wait_are_queued(driver):
    driver.out(0, 1)
    driver.wait(5)
    driver.back(0, 5)
    driver.wait(5)
    driver.back(1, 4)
    found = driver.clock.total(2)
    assert (found.start_up, found.training, found.queue, found.idle) == (0, 9, 6, 5)


def test_the_start_of_the_workers_is_not_queueing(driver):
    driver.out(0, 1)
    driver.wait(10)
    driver.back(0, 2)
    driver.back(1, 2)
    found = driver.clock.total(2)
    assert (found.start_up, found.training, found.queue, found.idle) == (8, 4, 0, 0)


def test_a_lost_pack_was_on_its_way(driver):
    driver.out(0)
    driver.wait(2)
    driver.back(0, 2)
    driver.out(1)
    driver.wait(3)
    driver.back(1, 0)
    driver.out(1)
    driver.wait(4)
    driver.back(1, 4)
    found = driver.clock.total(1)
    assert (found.wall, found.training, found.queue, found.idle) == (9, 6, 3, 0)


def test_sampling_after_the_start_is_no_start_up(driver):
    driver.wait(1)
    driver.out(0)
    driver.wait(2)
    driver.back(0, 2)
    driver.sample(4)
    found = driver.clock.total(1)
    assert (found.start_up, found.sampler, found.idle) == (1, 4, 4)


def test_a_worker_whose_clock_is_fast(driver):
    """It says that it trained for longer than its pack was out."""
    driver.wait(3)
    driver.out(0)
    driver.wait(2)
    driver.back(0, 5)
    driver.wait(4)
    found = driver.clock.total(1)
    assert (found.start_up, found.training, found.queue, found.idle) == (3, 5, 0, 1)


def test_without_a_pack_all_is_start_up(driver):
    driver.sample(2)
    driver.wait(3)
    found = driver.clock.total(4)
    assert astuple(found) == (5, 3, 2, 0, 4, 0, 0, 0)


def test_a_total_can_be_taken_at_any_time(driver):
    driver.wait(1)
    assert driver.clock.total(1).wall == 1
    driver.wait(1)
    assert driver.clock.total(1).wall == 2


def test_the_start_ends_when_the_first_worker_begins(driver):
    driver.wait(1)
    driver.out(0, 1)
    driver.wait(9)
    driver.back(0, 2)
    driver.back(1, 9)
    assert driver.clock.total(2).start_up == 1


def test_sampling_while_the_first_pack_is_trained_is_no_start_up(driver):
    driver.wait(1)
    driver.out(0)
    driver.sample(5)
    driver.back(0, 5)
    found = driver.clock.total(1)
    assert (found.start_up, found.sampler, found.idle) == (1, 5, 0)


def test_writing_before_the_start_is_no_start_up(driver):
    driver.write(3)
    driver.out(0)
    driver.wait(1)
    driver.back(0, 1)
    found = driver.clock.total(1)
    assert (found.wall, found.start_up, found.writing) == (4, 0, 3)


SECONDS = st.integers(0, 20)
EVENTS = st.lists(
    st.tuples(st.sampled_from(["wait", "sample", "write", "out", "back", "lost"]), SECONDS)
)


def played(events, write_first: bool) -> Driver:
    """A driver after some events; packs are trained no longer than they were out."""
    driver, out, packs = Driver(), {}, 0
    for name, seconds in events:
        if name == "out":
            driver.out(packs)
            out[packs] = driver.now
            packs += 1
        elif name in ("back", "lost"):
            if out:
                pack = list(out)[seconds % len(out)]
                trained = 0 if name == "lost" else min(seconds, driver.now - out[pack])
                del out[pack]
                driver.back(pack, trained)
                write_first = True
        elif name != "write" or write_first:
            getattr(driver, name)(seconds)
    return driver


@given(EVENTS, st.integers(1, 4))
@example([("out", 0), ("sample", 5), ("back", 5)], 1)
@settings(max_examples=300, deadline=None)
def test_no_part_is_negative(events, workers):
    driver = played(events, write_first=True)
    found = driver.clock.total(workers)
    assert min(astuple(found)) >= 0
    assert found.wall == driver.now - 100
    assert max(found.start_up, found.sampler, found.writing) <= found.wall
    assert found.sampler == sum(s for name, s in events if name == "sample")


@given(EVENTS)
@settings(max_examples=300, deadline=None)
def test_the_driver_s_parts_fit_into_the_run(events):
    found = played(events, write_first=False).clock.total(1)
    assert found.start_up + found.sampler + found.writing <= found.wall


def test_trainings_of_a_confirmation_count_as_training():
    replicates = tuple(Replicate(place, "COMPLETE", None, 0.5) for place in range(3))
    assert _trained_s(Outcome("COMPLETE", replicates=replicates)) == 1.5
    assert _trained_s(Outcome("COMPLETE", duration_s=2.0, replicates=replicates)) == 2.0
    assert _trained_s(Outcome("FAIL")) == 0
