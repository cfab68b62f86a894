"""What signals do to a search: real ones, sent to this process."""

import os
import signal
import threading

import pytest

from xortune.errors import Interrupted
from xortune.interrupt import StopSignal

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def arrived():
    """Signals that reached the handlers from before, which stay in place for one test."""
    numbers: list[int] = []
    before = {s: signal.signal(s, lambda number, frame: numbers.append(number)) for s in SIGNALS}
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in SIGNALS]


def test_without_a_signal_nothing_is_raised(arrived) -> None:
    with StopSignal() as stop:
        stop.check()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_first_signal_waits_for_the_check(arrived, number) -> None:
    with StopSignal() as stop:
        signal.raise_signal(number)
        reached = True
        with pytest.raises(Interrupted) as caught:
            stop.check()
    assert reached
    assert arrived == []
    assert caught.value.signum == number
    assert caught.value.folder is None


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_from_outside_waits_for_the_check(arrived, number) -> None:
    with StopSignal() as stop:
        os.kill(os.getpid(), number)
        with pytest.raises(Interrupted):
            stop.check()


def test_the_record_stays(arrived) -> None:
    with StopSignal() as stop:
        signal.raise_signal(signal.SIGTERM)
        for _ in range(2):
            with pytest.raises(Interrupted):
                stop.check()
    with pytest.raises(Interrupted):
        stop.check()


@pytest.mark.parametrize("first", SIGNALS)
def test_ctrl_c_after_a_first_signal_acts_as_before(arrived, first) -> None:
    with StopSignal() as stop:
        signal.raise_signal(first)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert arrived == [signal.SIGINT] * 2
        with pytest.raises(Interrupted) as caught:
            stop.check()
    assert caught.value.signum == first


@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_after_a_first_one_change_nothing(arrived, first, second) -> None:
    with StopSignal() as stop:
        signal.raise_signal(first)
        signal.raise_signal(second)
        with pytest.raises(Interrupted) as caught:
            stop.check()
    assert arrived == []
    assert caught.value.signum == first


def test_the_first_signal_is_noticed_once(arrived) -> None:
    noticed: list[int] = []
    with StopSignal(noticed.append):
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGINT):
            signal.raise_signal(number)
    assert (noticed, arrived) == ([signal.SIGHUP], [signal.SIGINT] * 2)


def test_a_process_that_listens_for_a_second_ctrl_c_itself_is_left_to_it(arrived) -> None:
    ended: list[int] = []
    with StopSignal(end=ended.append) as stop:
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(Interrupted):
            stop.check()
    assert (ended, arrived) == ([], [])


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_may_raise_where_it_strikes(arrived, number) -> None:
    reached = []

    def strike() -> None:
        with stop.raising():
            reached.append("begun")
            signal.raise_signal(number)
            reached.append("ended")

    with StopSignal() as stop:
        for _ in range(2):
            with pytest.raises(Interrupted):
                strike()
    assert reached == ["begun"]


class Struck:
    """Receives a signal where nothing can be raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def test_an_interruption_that_python_ignores_prints_nothing(arrived, capsys) -> None:
    with StopSignal() as stop:
        with stop.raising():
            Struck()
        with pytest.raises(Interrupted):
            stop.check()
    assert capsys.readouterr() == ("", "")


def fail_under(stop: StopSignal) -> None:
    with stop.errors_as_interrupts():
        raise ValueError("of its own")


def test_an_error_after_a_signal_is_an_interruption(arrived) -> None:
    with StopSignal() as stop:
        with pytest.raises(ValueError, match="of its own"):
            fail_under(stop)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            fail_under(stop)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_is_ignored_stays_ignored(arrived, number) -> None:
    signal.signal(number, signal.SIG_IGN)
    with StopSignal() as stop:
        signal.raise_signal(number)
        stop.check()
    assert signal.getsignal(number) == signal.SIG_IGN


@pytest.mark.parametrize("number", SIGNALS)
def test_the_folder_goes_with_the_interruption(arrived, number, tmp_path) -> None:
    with StopSignal() as stop:
        signal.raise_signal(number)
        with pytest.raises(Interrupted) as caught:
            stop.check(tmp_path)
    assert caught.value.folder == tmp_path


def test_a_second_ctrl_c_is_a_keyboard_interrupt(arrived) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with StopSignal():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt) as caught:
            signal.raise_signal(signal.SIGINT)
    assert not isinstance(caught.value, Interrupted)


def test_the_handlers_come_back(arrived) -> None:
    before = handlers()
    with StopSignal():
        assert handlers() != before
    assert handlers() == before
    with StopSignal():
        signal.raise_signal(signal.SIGINT)
    assert handlers() == before


def leave_with_an_error() -> None:
    with StopSignal():
        raise ValueError("of its own")


def test_the_handlers_come_back_after_an_error(arrived) -> None:
    before = handlers()
    with pytest.raises(ValueError, match="of its own"):
        leave_with_an_error()
    assert handlers() == before


def test_in_another_thread_signals_are_left_alone(arrived) -> None:
    before = handlers()
    seen = []

    def enter() -> None:
        with StopSignal() as stop:
            seen.append(handlers())
            signal.raise_signal(signal.SIGINT)
            stop.check()

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [before]
    assert arrived == [signal.SIGINT]
    assert handlers() == before


def test_a_process_that_can_simply_end_does_so_where_others_raise(arrived) -> None:
    ended = []
    with StopSignal(end=ended.append) as stop, pytest.raises(Interrupted), stop.raising():
        signal.raise_signal(signal.SIGTERM)
    assert ended == [signal.SIGTERM]
    with StopSignal(end=ended.append):
        signal.raise_signal(signal.SIGTERM)
    assert ended == [signal.SIGTERM]


def test_an_interruption_is_a_keyboard_interrupt() -> None:
    assert issubclass(Interrupted, KeyboardInterrupt)
    assert str(Interrupted(15)) == "stopped by signal 15"
