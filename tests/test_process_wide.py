"""A setting of the whole process, changed by several threads at once."""

import threading
from contextlib import contextmanager

import pytest

import xortune
from xortune.process_wide import Counted


@pytest.fixture
def log():
    return []


@pytest.fixture
def shared(log):
    @contextmanager
    def noted():
        log.append("entered")
        yield
        log.append("left")

    return Counted(noted)


def test_the_first_enters_and_the_last_leaves(shared, log):
    with shared():
        with shared():
            pass
        assert log == ["entered"]
    assert log == ["entered", "left"]
    with shared():
        assert log == ["entered", "left", "entered"]


def test_an_error_leaves_it_too(shared, log):
    with pytest.raises(ZeroDivisionError), shared():
        _ = 1 / 0
    assert log == ["entered", "left"]


def test_overlapping_threads_leave_the_setting_as_they_found_it(shared, log):
    inside, gone = threading.Event(), threading.Event()

    def first():
        with shared():
            inside.set()
            gone.wait()

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with shared():
        gone.set()
        thread.join()
        assert log == ["entered"]
    assert log == ["entered", "left"]


def test_searches_in_threads_leave_optunas_log_as_it_was(tmp_path, capfd):
    import optuna

    before = optuna.logging.get_verbosity()
    searches = [
        threading.Thread(
            target=xortune.search,
            args=("smoke",),
            kwargs={"trials": 30, "runner": "inline", "results": tmp_path, "name": name},
        )
        for name in "abc"
    ]
    for search in searches:
        search.start()
    for search in searches:
        search.join()
    assert optuna.logging.get_verbosity() == before
    assert "A new study created" not in capfd.readouterr().err
