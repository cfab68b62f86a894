"""Durations, the numbers of a confirmation and epochs of rungs, as texts and as values."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortune.errors import UsageError
from xortune.studies.notations import (
    read_counts,
    read_duration,
    read_epochs,
    read_limit,
    written_counts,
)
from xortune.wording import for_the_shell


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("1h30m15s", 5415),
        ("0.5h", 1800),
        ("1.5m", 90),
        (".5s", 0.5),
        ("90", 90),
        ("90.5", 90.5),
        (" 2H ", 7200),
        (90, 90),
        (0.25, 0.25),
        (np.float64(1.5), 1.5),
        (np.int64(3), 3),
    ],
)
def test_a_duration(value, seconds):
    assert read_duration("timeout", value) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "m", "1O", "10 m", "10min", "1h30", "30m1h", "1:30", "-5s", "-5", "0s", 0, -1,
        "1e3s", "nan", "inf", math.nan, math.inf, True, [90], None, b"90s", "٣s", "1d", 1e9,
        "300000h", ".", "h",
    ],
)  # fmt: skip
def test_something_that_is_no_duration_is_refused_with_examples(value):
    with pytest.raises(UsageError, match=r"^timeout .*above 0, such as 90s, 10m or 1h30m; "):
        read_duration("timeout", value)


@given(st.integers(0, 1000), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(hours, minutes, seconds):
    text = f"{hours}h{minutes}m{seconds}s"
    total = 3600 * hours + 60 * minutes + seconds
    if total:
        assert read_duration("timeout", text) == total
    else:
        with pytest.raises(UsageError):
            read_duration("timeout", text)


@given(st.floats(1e-6, 1e8))
def test_a_number_and_its_text_are_the_same_duration(seconds):
    assert read_duration("timeout", seconds) == seconds
    assert read_duration("timeout", f"{seconds:f}") == float(f"{seconds:f}")


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_refused(text):
    with contextlib.suppress(UsageError):
        assert 0 < read_duration("timeout", text) < 1e9


@given(st.integers(1, 10**6), st.integers(2, 10_000))
def test_a_confirmation_survives_its_text(trials, seeds):
    assert read_counts("confirm", written_counts((trials, seeds))) == (trials, seeds)
    assert read_counts("confirm", [np.int64(trials), seeds]) == (trials, seeds)


@pytest.mark.parametrize("value", ["none", "None", (), [], False])
def test_no_confirmation(value):
    assert read_counts("confirm", value) == ()
    assert written_counts(()) == written_counts(None) == "none"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("20", "must be K:S, such as 32:256"),
        (20, "must be K:S"),
        ("20:", "must be K:S"),
        ("a:b", "must be K:S"),
        ("1:2:3", "must be K:S"),
        ("", "must be K:S"),
        (True, "must be K:S"),
        (None, "must be K:S"),
        (0, "must be K:S"),
        ((20, 2.5), "must be K:S"),
        ({"K": 1}, "must be K:S"),
        ("0:256", "confirms at least 1 trial"),
        ("20:1", "takes from 2 to 10000 seeds each"),
        ("20:10001", "takes from 2 to 10000 seeds each"),
        ((-1, 8), "confirms at least 1 trial"),
    ],
)
def test_a_bad_confirmation(value, text):
    with pytest.raises(UsageError) as caught:
        read_counts("confirm", value)
    assert text in str(caught.value)
    assert str(caught.value).startswith("confirm ")


def test_both_faults_of_a_confirmation_are_named():
    with for_the_shell(), pytest.raises(UsageError) as caught:
        read_counts("confirm", "0:1")
    assert str(caught.value).splitlines() == [
        "--confirm '0:1': confirms at least 1 trial.",
        "--confirm '0:1': takes from 2 to 10000 seeds each.",
    ]


@given(st.sets(st.integers(1, 2**53), min_size=1, max_size=6).map(sorted))
def test_epochs_survive_their_text(epochs):
    assert read_epochs("rung_epochs", ",".join(map(str, epochs))) == tuple(epochs)
    assert read_epochs("rung_epochs", np.array(epochs)) == tuple(epochs)


def test_one_rung_may_be_a_number():
    assert read_epochs("rung_epochs", 500) == read_epochs("rung_epochs", " 500 ") == (500,)


@pytest.mark.parametrize(
    "value", ["", "a", "5,", "5,5", "9,5", "0,5", "-1", "1.5", (1.5,), [], True, None, "1" * 30]
)
def test_bad_epochs_are_refused(value):
    with pytest.raises(UsageError, match=r"^rung_epochs .*ascending whole numbers, such as 500,15"):
        read_epochs("rung_epochs", value)


def test_a_limit_is_lifted_by_a_word():
    assert read_limit("none") is None
    assert read_limit(3) == 3
