"""The cut into folds: every row validates once, evenly by class, whatever else is asked for."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.problems.table.tables import mixed_frame, refused, same_rows
from xortune.errors import UsageError
from xortune.problems.table.folds import check_folds, cut_into_folds
from xortune.problems.table.spec import table_spec
from xortune.problems.table.splitting import DEFAULT_SPLIT, split_rows
from xortune.problems.table.table import load_table
from xortune.settings import StudySettings

seeds = st.integers(0, 2**32 - 1)


def test_the_cut_is_what_it_was():
    parts = split_rows(10, DEFAULT_SPLIT, 0)
    cuts = cut_into_folds(parts, 3, 0)
    assert [cut.validation.tolist() for cut in cuts] == [[3, 7, 8], [2, 4, 6], [0, 1]]
    assert cuts[0].training.tolist() == [0, 1, 2, 4, 6]


@given(count=st.integers(6, 200), folds=st.integers(2, 9), seed=seeds, data=st.data())
def test_every_row_that_is_not_a_test_row_validates_once_and_evenly(count, folds, seed, data):
    classes = data.draw(
        st.none() | st.lists(st.integers(0, 3), min_size=count, max_size=count).map(np.array)
    )
    parts = split_rows(count, DEFAULT_SPLIT, seed, classes)
    cuts = cut_into_folds(parts, folds, seed, classes)
    assert len(cuts) == folds
    rest = sorted([*parts.training, *parts.validation])
    assert sorted(np.concatenate([cut.validation for cut in cuts]).tolist()) == rest
    labels = np.zeros(count, int) if classes is None else classes
    groups = [np.ones(count, bool), *(labels == label for label in {*labels.tolist()})]
    for group in groups:
        sizes = [int(group[cut.validation].sum()) for cut in cuts]
        assert max(sizes) - min(sizes) <= 1
    for cut in cuts:
        assert cut.test.tolist() == parts.test.tolist()
        assert sorted([*cut.training, *cut.validation]) == rest
        assert all((np.diff(part) > 0).all() for part in cut[:2])
        assert {part.dtype for part in cut} == {np.dtype("int64")}


@given(st.integers(10, 200), st.integers(2, 5), seeds, st.integers(1, 60))
def test_the_shares_of_training_and_validation_rows_do_not_matter(count, folds, seed, share):
    cuts = [
        cut_into_folds(split_rows(count, split, seed), folds, seed)
        for split in (DEFAULT_SPLIT, (80.0 - share, float(share), 20.0))
        if len(split_rows(count, split, seed).test)
        == len(split_rows(count, DEFAULT_SPLIT, seed)[2])
    ]
    found = [[part.tolist() for cut in one for part in cut] for one in cuts]
    assert found[0] == found[1]


def test_other_seeds_and_other_numbers_of_folds_cut_otherwise():
    parts = split_rows(60, DEFAULT_SPLIT, 0)
    cuts = {cut_into_folds(parts, 4, seed)[0].validation.tobytes() for seed in range(20)}
    assert len(cuts) == 20
    assert not same_rows(*(load_table(mixed_frame(), "weight", folds=k).training for k in (3, 4)))


def test_other_options_leave_the_cut_alone():
    frame = mixed_frame().assign(row=np.arange(60) * 1.5)
    tables = [
        load_table(frame, "member", folds=4, **options)
        for options in ({}, {"drop": ["age"]}, {"text": ["height"]}, {"task": "classes"})
    ]
    targets = [[fold.validation.y.tolist() for fold in table.folds] for table in tables]
    assert targets[0] == targets[1] == targets[2] == targets[3]
    columns = [
        [fold.validation.x[:, table.recipe.input_names.index("row")] for fold in table.folds]
        for table in tables
    ]
    assert all(np.array_equal(np.argsort(a), np.argsort(b)) for a, b in zip(columns[0], columns[3]))
    first = [np.concatenate(one).tobytes() for one in columns]
    assert first == [first[0]] * 4


@pytest.mark.parametrize("folds", [1, 0, -3, 2.5, 3.0, "5", True, [3], float("nan")])
def test_what_is_not_a_number_of_folds_is_refused(folds):
    assert refused(mixed_frame(), "weight", folds=folds) == (
        f"folds {folds!r}: must be a whole number of at least 2."
    )


def test_more_folds_than_a_study_can_have_are_refused():
    message = refused(mixed_frame(13_000), "weight", folds=10_001)
    assert message == "folds 10001: must be a whole number from 2 to 10000."
    with pytest.raises(UsageError, match="folds 10001: must be a whole number from 2 to 10000"):
        StudySettings(table_spec("binary"), {}, folds=10_001)


def test_folds_of_numpy_are_folds_and_none_is_none():
    assert type(check_folds(np.int64(7))) is int
    assert check_folds(None) is None


def test_all_faults_are_said_at_once():
    faults = refused(mixed_frame(), "weight", folds=1, split="x", split_seed=-1).splitlines()
    assert [fault.split()[0] for fault in faults] == ["split", "split_seed", "folds"]


def test_more_folds_than_rows_are_refused():
    assert refused(mixed_frame(), "weight", folds=49) == (
        "folds 49: there are 48 training and validation rows. Use at most 48."
    )
    assert len(load_table(mixed_frame(), "weight", folds=48).folds) == 48


def labelled(*counts):
    """A table of so many rows of each class: a, b and so on."""
    labels = [label for label, count in zip("abcdef", counts) for _ in range(count)]
    return pd.DataFrame({"x": np.arange(len(labels)) * 1.5 % 7, "y": labels})


def test_more_folds_than_rows_of_a_class_are_refused():
    assert refused(labelled(30, 5, 20), folds=5) == (
        "folds 5: class b has 4 rows besides test rows, and each fold needs one. Use at most 4, or "
        "leave out the rows of that class."
    )
    table = load_table(labelled(30, 5, 20), "y", folds=4)
    for fold in table.folds:
        assert {*fold.training.y.tolist()} == {*fold.validation.y.tolist()} == {0, 1, 2}


def test_a_class_of_one_row_has_no_folds():
    assert refused(labelled(30, 1, 20), folds=2) == (
        "folds 2: class b has 1 row besides test rows, and each fold needs one. Leave out the rows "
        "of that class."
    )


@given(st.lists(st.integers(3, 40), min_size=2, max_size=4), st.integers(2, 6), st.integers(0, 9))
def test_no_fold_that_is_accepted_lacks_a_class(counts, folds, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    parts = split_rows(len(labels), DEFAULT_SPLIT, seed, labels)
    least = np.bincount(labels[np.concatenate(parts[:2])]).min()
    if folds > least:
        return
    for cut in cut_into_folds(parts, folds, seed, labels):
        for part in cut[:2]:
            assert {*labels[part].tolist()} == {*range(len(counts))}
