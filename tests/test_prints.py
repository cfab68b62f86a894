"""Hides what a user's code prints: of one thread, and all of it comes back."""

import sys
import threading

import pytest

from xortune.prints import hidden_prints


def test_both_streams_are_hidden_and_noticed(capsys):
    streams = sys.stdout, sys.stderr
    with hidden_prints() as prints:
        assert not prints.found
        print("one")
        print("two", file=sys.stderr)
        sys.stdout.writelines(["three\n"])
        sys.stdout.flush()
    assert prints.found
    assert capsys.readouterr() == ("", "")
    assert (sys.stdout, sys.stderr) == streams


def test_what_is_shown_goes_to_the_errors(capsys):
    with hidden_prints(shown=True) as prints:
        print("one")
        print("two", file=sys.stderr)
    assert not prints.found
    assert capsys.readouterr() == ("", "one\ntwo\n")


def test_other_threads_print_as_before(capsys):
    with hidden_prints() as prints:
        thread = threading.Thread(target=print, args=("another",))
        thread.start()
        thread.join()
    assert not prints.found
    assert capsys.readouterr().out == "another\n"


def test_an_inner_one_ends_alone(capsys):
    with hidden_prints() as outer:
        with hidden_prints(shown=True):
            print("inside")
        print("between")
    print("after")
    assert outer.found
    assert capsys.readouterr() == ("after\n", "inside\n")


def test_the_streams_come_back_after_an_error(capsys):
    with pytest.raises(ValueError, match="broken"), hidden_prints():
        raise ValueError("broken")
    print("after")
    assert capsys.readouterr().out == "after\n"
