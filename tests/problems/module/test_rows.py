"""The rows of a split: their types, what is wrong with them, and folds."""

import numpy as np
import pandas as pd
import pytest
import torch

import xortune
from xortune.errors import UsageError
from xortune.problems.module.rows import rows_of

X, Y = np.arange(12.0).reshape(6, 2), np.arange(6)


def split(**other):
    fields = {"x": X, "y": Y, "x_validation": X[:2], "y_validation": Y[:2]}
    return xortune.Split(**{**fields, **other})


def said(given):
    with pytest.raises(UsageError) as caught:
        rows_of(given)
    return str(caught.value)


def test_fractions_are_float32_and_all_else_is_int64():
    rows = rows_of(split(x_validation=torch.ones(2, 2, dtype=torch.bfloat16)))
    assert (rows.x.dtype, rows.y.dtype) == (np.float32, np.int64)
    truths = rows_of(split(y=Y > 2, y_validation=torch.tensor([True, False])))
    assert truths.y.tolist() == [0, 0, 0, 1, 1, 1]
    frame = rows_of(split(x=pd.DataFrame(X), y=pd.Series(Y)))
    assert frame.digest == rows_of(split()).digest


def test_arrays_are_in_one_piece_and_the_callers_own_stay_as_they_are():
    x = np.asfortranarray(X)
    rows = rows_of(split(x=x, x_validation=X[::3]))
    assert rows.x.flags.c_contiguous
    assert rows.x_validation.flags.c_contiguous
    assert x.flags.f_contiguous


def test_any_other_number_shape_or_place_has_another_digest():
    others = [
        split(x=X + 1e-5), split(y=Y[::-1]), split(y_validation=Y[1:3]),
        split(x_test=X[:1], y_test=Y[:1]),
        split(x=X.reshape(6, 1, 2), x_validation=X[:2].reshape(2, 1, 2)),
    ]  # fmt: skip
    digests = {rows_of(one).digest for one in (split(), *others)}
    assert len(digests) == 6
    assert rows_of(split()).digest == rows_of(split()).digest


def test_a_model_is_told_the_columns_or_the_shape_and_the_classes():
    rows = rows_of(split())
    assert (rows.inputs, rows.outputs(classes=True), rows.outputs(classes=False)) == (2, 6, 1)
    late = rows_of(split(x_test=X[:1], y_test=[9]))
    assert late.outputs(classes=True) == 10
    images = np.zeros((6, 1, 8, 4))
    rows = rows_of(split(x=images, x_validation=images[:2], y=X, y_validation=X[:2]))
    assert (rows.inputs, rows.outputs(classes=True)) == ((1, 8, 4), 2)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (3, "data: returned 3, and must return an xortune.Split(x, y, x_validation, y_validation)"),
        ((X, Y), "and must return an xortune.Split"),
        (split(y=None), "data: y is missing."),
        (split(y=Y[:5]), "data: x has 6 rows, and y has 5."),
        (split(x_validation=X[:3]), "data: x_validation has 3 rows, and y_validation has 2."),
        (split(x_test=X), "data: x_test is there, and y_test is not. Give both, or neither."),
        (split(x_test=X, y_test=Y[:2]), "data: x_test has 6 rows, and y_test has 2."),
        (split(x_validation=X[:2, :1]), "x has rows of shape (2,), and x_validation of (1,)."),
        (split(y_validation=[[1], [2]]), "y has rows of shape (), and y_validation of (1,)."),
        (split(y_validation=[0.5, 1.5]), "y holds whole numbers, and y_validation fractions: con"),
        (split(x=Y, x_validation=Y[:2]), "x has the shape (6,). Give rows of numbers: x[:, None]."),
        (split(x=X[:0], y=Y[:0]), "x has the shape (0, 2): there must be rows, and numbers in"),
        (split(x=3.0), "x has the shape (): there must be rows"),
        (split(x=[["a", "b"]]), "x holds values of type <U1, not numbers"),
        (split(y=[1j] * 6), "y holds values of type complex128, not numbers"),
        (split(x=[[1, 2], [3]]), "x is not an array"),
        (split(x=np.where(X == 7, np.nan, X)), "x holds a number that is not finite in float32, i"),
        (split(x=np.where(X == 7, np.nan, X)), "in row 3."),
        (split(x=np.where(X == 0, 1e39, X)), "x holds a number that is not finite in float32, in"),
        (split(y=np.full(6, 2**64 - 1, np.uint64)), "y holds whole numbers beyond int64."),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_with_rows_is_said(given, fault):
    assert fault in said(given)


def test_all_faults_of_rows_are_said_at_once():
    message = said(split(x=None, y="no", x_test=X[0, 0]))
    assert [line.split()[1] for line in message.splitlines()] == ["x", "y", "x_test"]


def labelled(y):
    x = np.arange(len(y), dtype=float)[:, None]
    return rows_of(xortune.Split(x[:-4], y[:-4], x[-4:], y[-4:], x[:1], y[:1]))


@pytest.mark.parametrize("y", [np.repeat([7, 3], [9, 14]), np.linspace(0, 1, 23)])
def test_every_row_validates_in_one_fold_and_is_learnt_in_the_others(y):
    rows, folds = labelled(y), 4
    parts = [rows.fold(k, folds) for k in range(folds)]
    held = np.concatenate([part.x_validation[:, 0] for part in parts])
    assert sorted(held) == list(range(23))
    for part in parts:
        assert sorted([*part.x[:, 0], *part.x_validation[:, 0]]) == list(range(23))
        assert len(part.x_validation) in (5, 6)
        assert (part.y == y.astype(part.y.dtype)[part.x[:, 0].astype(int)]).all()
        assert part.x_test is rows.x_test


def test_each_fold_has_its_share_of_each_class():
    rows = labelled(np.repeat([7, 3], [9, 14])[np.random.default_rng(0).permutation(23)])
    for k in range(3):
        validating = rows.fold(k, 3).y_validation
        assert (validating == 7).sum() == 3
        assert (validating == 3).sum() in (4, 5)
