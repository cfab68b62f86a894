"""Which values are numbers."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch

from xortune.plain_numbers import brief, real_number, whole_number

WHOLE = [
    7,
    np.int64(7),
    np.int32(7),
    np.int8(7),
    np.uint8(7),
    np.uint64(7),
    np.array(7),
    torch.tensor(7),
    pd.Series([7]).iloc[0],
    pd.Series([7], dtype="Int64").iloc[0],
    pd.Series([7, "text"], dtype=object).iloc[0],
    pd.DataFrame({"number": [7], "lr": [0.5]}).iloc[0:1]["number"].iloc[0],
]
REAL = [0.5, np.float64(0.5), np.float32(0.5), np.float16(0.5), np.longdouble(0.5), np.array(0.5)]
REAL += [
    torch.tensor(0.5),
    torch.tensor(0.5, dtype=torch.bfloat16),
    torch.tensor(0.5, requires_grad=True),
]
NEITHER = [
    None,
    True,
    False,
    np.True_,
    np.array(True),
    torch.tensor(True),
    "7",
    b"7",
    np.str_("7"),
    [7],
    (7,),
    np.array([7]),
    np.array([0.5]),
    torch.tensor([0.5]),
    torch.tensor(0.5 + 1j),
    np.timedelta64(7, "s"),
    np.datetime64(7, "s"),
    pd.NA,
    pd.NaT,
    pd.Timedelta(7),
    pd.Series([7]),
    7j,
    Decimal(7),
    Fraction(7),
    object(),
]


@pytest.mark.parametrize("value", WHOLE, ids=repr)
def test_an_integer_is_that_integer(value):
    assert (whole_number(value), type(whole_number(value))) == (7, int)
    assert (real_number(value), type(real_number(value))) == (7, int)
    assert brief(value) in ("7", "tensor(7)")


@pytest.mark.parametrize("value", REAL, ids=repr)
def test_a_float_is_that_float(value):
    assert whole_number(value) is None
    assert (real_number(value), type(real_number(value))) == (0.5, float)
    assert brief(value) == "0.5"


@pytest.mark.parametrize("value", NEITHER, ids=lambda value: f"{type(value).__name__}-{value}")
def test_a_look_alike_is_not_a_number(value):
    assert whole_number(value) is None
    assert real_number(value) is None


def test_a_value_is_quoted_in_one_short_line():
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError

    assert brief("a\nb") == r"'a\nb'"
    assert brief(np.array([[1], [2]])) == "array([[1],        [2]])"
    assert len(brief("x" * 1000)) == 83
    assert brief(10**5000) == "a value of type int"
    assert brief(Hostile()) == "a value of type Hostile"
