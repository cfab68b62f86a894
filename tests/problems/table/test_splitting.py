"""The split of rows: a function of the seed, with every class in every part."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortune.errors import UsageError
from xortune.problems.table.splitting import DEFAULT_SPLIT, check_seed, parse_split, split_rows

shares = st.tuples(*[st.integers(1, 100)] * 3).map(
    lambda three: tuple(share / sum(three) * 100 for share in three)
)


def test_the_split_is_what_it_was():
    parts = split_rows(10, DEFAULT_SPLIT, 0)
    assert [part.tolist() for part in parts] == [[0, 1, 2, 3, 6, 8], [4, 7], [5, 9]]


@given(st.integers(3, 300), shares, st.integers(0, 2**32 - 1))
def test_every_row_is_in_one_part_and_no_part_is_empty(count, split, seed):
    parts = split_rows(count, split, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(count))
    assert min(map(len, parts)) > 0
    assert all((np.diff(part) > 0).all() for part in parts)


@given(st.integers(100, 2000), shares, st.integers(0, 99))
def test_the_parts_have_their_shares(count, split, seed):
    sizes = [len(part) for part in split_rows(count, split, seed)]
    expected = [max(1, count * share / 100) for share in split]
    assert all(abs(size - share) < 3 for size, share in zip(sizes, expected))


@given(st.lists(st.integers(0, 4), min_size=30, max_size=300), st.integers(0, 99))
def test_every_class_of_three_rows_is_in_every_part(labels, seed):
    classes = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    parts = split_rows(len(classes), DEFAULT_SPLIT, seed, classes)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(classes)))
    for label, count in enumerate(np.bincount(classes)):
        there = [int((classes[part] == label).sum()) for part in parts]
        assert there[0] >= 1
        assert count < 3 or min(there) >= 1


def test_the_parts_of_many_small_classes_have_their_shares():
    classes = np.repeat(np.arange(100), 7)
    sizes = [len(part) for part in split_rows(700, DEFAULT_SPLIT, 0, classes)]
    assert sizes == [420, 140, 140]


def test_other_seeds_split_otherwise():
    splits = {split_rows(50, DEFAULT_SPLIT, seed).test.tobytes() for seed in range(20)}
    assert len(splits) == 20


@pytest.mark.parametrize(
    "split", ["60/20/20", " 60 / 20/20", (60, 20, 20), [0.6, 0.2, 0.2], np.array([60, 20, 20.0])]
)
def test_ways_to_write_a_split(split):
    assert parse_split(split) == pytest.approx(DEFAULT_SPLIT)
    assert all(type(share) is float for share in parse_split(split))


@pytest.mark.parametrize(
    "split",
    ["", "60/40", "60/20/10/10", "60/40/0", "120/-10/-10", "a/b/c", "nan/20/20", (60, 20), 60,
     (True, 1, 1), "60,20,20", (60, 20, 30)],
)  # fmt: skip
def test_other_splits_are_refused(split):
    with pytest.raises(UsageError, match=r"split .*: must be the percentages"):
        parse_split(split)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, True, "0", None])
def test_other_seeds_are_refused(seed):
    with pytest.raises(UsageError, match="split_seed .*: must be a whole number from 0 to"):
        check_seed(seed)


def test_seeds_of_numpy_are_seeds():
    assert type(check_seed(np.int64(7))) is int
