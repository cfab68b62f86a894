"""What several threads use is made once, and ended with the last of them."""

import signal
import threading
from contextlib import contextmanager

import pytest

from xortune.cluster.session.shared import InUseError, Shared


class Thing:
    """Notes who makes and ends it; both may be held up."""

    def __init__(self):
        self.notes = []
        self.begun = threading.Event()
        self.may_start = threading.Event()
        self.may_start.set()

    @contextmanager
    def made(self):
        self.begun.set()
        assert self.may_start.wait(10)
        self.notes.append("made")
        try:
            yield self
        finally:
            self.notes.append("ended")


@pytest.fixture
def thing():
    return Thing()


def in_thread(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def test_a_value_is_made_for_the_first_user_and_ended_with_the_last(thing):
    shared = Shared()
    with shared.using("a", thing.made) as one:
        with shared.using("a", thing.made) as two:
            assert one.value is two.value is thing
            assert not one.is_last()
        assert thing.notes == ["made"]
        assert one.is_last()
    assert thing.notes == ["made", "ended"]
    assert not shared.in_use
    with shared.using("b", thing.made):
        assert thing.notes == ["made", "ended", "made"]


def test_the_first_user_may_leave_before_the_second(thing):
    shared = Shared()
    first_left, second_in = threading.Event(), threading.Event()

    def second():
        with shared.using("a", thing.made):
            second_in.set()
            assert first_left.wait(10)
            assert thing.notes == ["made"]

    with shared.using("a", thing.made):
        other = in_thread(second)
        assert second_in.wait(10)
    first_left.set()
    other.join()
    assert thing.notes == ["made", "ended"]


def test_another_key_is_refused_while_a_value_is_in_use(thing):
    shared = Shared()
    with (
        shared.using("a", thing.made),
        pytest.raises(InUseError) as refused,
        shared.using("b", thing.made),
    ):
        pass
    assert refused.value.key == "a"
    assert thing.notes == ["made", "ended"]


def test_the_last_user_keeps_others_out_until_the_value_has_ended(thing):
    shared = Shared()
    inside = threading.Event()

    def newcomer():
        with shared.using("a", thing.made):
            inside.set()

    with shared.using("a", thing.made) as use:
        assert use.is_last()
        other = in_thread(newcomer)
        assert not inside.is_set()
        assert thing.notes == ["made"]
    other.join()
    assert thing.notes == ["made", "ended", "made", "ended"]


def test_a_failure_to_make_a_value_reaches_all_who_wait(thing):
    shared = Shared()
    thing.may_start.clear()
    caught = []

    @contextmanager
    def failing():
        with thing.made():
            raise ValueError("not today")
        yield

    def use():
        try:
            with shared.using("a", failing):
                pass
        except ValueError as error:
            caught.append(str(error))

    users = [in_thread(use)]
    assert thing.begun.wait(10)
    users += [in_thread(use) for _ in range(2)]
    while len(shared._kept.users) < 3:
        pass
    thing.may_start.set()
    for user in users:
        user.join()
    assert caught == ["not today"] * 3
    assert not shared.in_use


def test_a_failure_to_end_a_value_reaches_the_last_user(thing):
    @contextmanager
    def failing():
        yield None
        raise ValueError("not today")

    def use_it():
        with Shared().using("a", failing):
            pass

    with pytest.raises(ValueError, match="not today"):
        use_it()


def interrupt(shared, thing):
    """Has the main thread struck by Ctrl-C while it waits for the thing to be made."""

    def strike():
        assert thing.begun.wait(10)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    def enter():
        with shared.using("a", thing.made):
            pass

    thing.may_start.clear()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        in_thread(strike)
        with pytest.raises(KeyboardInterrupt):
            enter()
    finally:
        signal.signal(signal.SIGINT, before)
    assert thing.notes == []


def test_an_interrupted_user_leaves_at_once_and_the_next_takes_over(thing):
    shared = Shared()
    interrupt(shared, thing)

    def let_it_start():
        while not shared._kept.users:
            pass
        thing.may_start.set()

    opener = in_thread(let_it_start)
    with shared.using("a", thing.made):
        opener.join()
    assert thing.notes == ["made", "ended"]


def test_a_value_made_for_a_user_who_has_left_is_ended(thing):
    shared = Shared()
    interrupt(shared, thing)
    thing.may_start.set()
    shared.settle(10)
    assert thing.notes == ["made", "ended"]
    assert not shared.in_use


def test_another_value_waits_for_the_end_of_one_without_users(thing):
    shared = Shared()
    interrupt(shared, thing)
    in_thread(thing.may_start.set)
    with shared.using("b", thing.made):
        assert thing.notes == ["made", "ended", "made"]
