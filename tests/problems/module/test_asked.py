"""New rows for a module with data of its own: files and arrays, and those it does not take."""

import numpy as np
import pandas as pd
import pytest
import torch

from xortune.errors import UsageError
from xortune.problems.module.asked import asked_rows
from xortune.problems.module.rows import ModuleRows

ROWS = np.arange(8, dtype=np.float32).reshape(4, 2) / 8
IMAGES = np.arange(36, dtype=np.float32).reshape(4, 1, 3, 3)


def learnt(x):
    y = np.zeros(len(x), np.float32)
    return ModuleRows(x, y, x, y)


def saved(folder, rows):
    """The same rows in files of all kinds."""
    flat = pd.DataFrame(rows.reshape(len(rows), -1)).rename(columns="c{}".format)
    flat.to_csv(folder / "rows.csv", index=False)
    flat.to_parquet(folder / "rows.parquet")
    np.save(folder / "rows.npy", rows)
    np.savez(folder / "rows.npz", X=rows)
    torch.save(torch.tensor(rows), folder / "rows.pt")
    torch.save({"X": torch.tensor(rows)}, folder / "named.pth")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("rows", [ROWS, IMAGES])
def test_rows_come_from_files_of_all_kinds(tmp_path, rows):
    files = saved(tmp_path, rows)
    assert len(files) == 6
    for file in files:
        found = asked_rows(file, learnt(rows[:1]))
        assert found.dtype == np.float32
        assert np.array_equal(found, rows), file


def test_rows_come_from_arrays_tensors_and_frames():
    for given in (ROWS, ROWS.tolist(), torch.tensor(ROWS).double(), pd.DataFrame(ROWS)):
        assert np.array_equal(asked_rows(given, learnt(ROWS)), ROWS)
    one = np.zeros((2, 1), np.float32)
    assert asked_rows([1, 2, 3], learnt(one)).tolist() == [[1], [2], [3]]
    words = np.zeros((2, 2), np.int64)
    assert asked_rows([[1.0, 2.0]], learnt(words)).dtype == np.int64


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (np.zeros((3, 5)), r"inputs: has the shape \(3, 5\), and the model takes rows of shape "
         r"\(1, 3, 3\). Give an array of shape \(n, 1, 3, 3\), or rows of 9 numbers."),
        (IMAGES[0], r"has the shape \(1, 3, 3\)"),
        (np.full((1, 9), np.nan), "holds a number that is not finite in float32, in row 0"),
        (np.zeros((0, 9)), "there must be rows"),
        ([["a"]], "holds values of type <U1, not numbers"),
        ([[1], [2, 3]], "inputs is not an array"),
        (pd.DataFrame({"a": ["x"]}), "the column 'a' holds no numbers, and the model takes"),
    ],
)  # fmt: skip
def test_other_rows_are_refused(given, fault):
    with pytest.raises(UsageError, match=fault):
        asked_rows(given, learnt(IMAGES))


def test_fractions_are_no_words_of_an_embedding():
    with pytest.raises(UsageError, match="holds fractions, and the model takes whole numbers"):
        asked_rows([[0.5, 1]], learnt(np.zeros((2, 2), np.int64)))


def test_files_that_hold_something_else_are_refused(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    np.savez(tmp_path / "other.npz", rows=ROWS)
    torch.save({"rows": torch.tensor(ROWS)}, tmp_path / "other.pt")
    torch.save(print, tmp_path / "code.pt")
    (tmp_path / "text.npy").write_text("no array")
    for name, fault in (
        ("objects.npy", "holds Python objects, which are not loaded. Save an array"),
        ("other.npz", "holds rows. It must hold the array X"),
        ("other.pt", "holds rows. It must hold the array X"),
        ("code.pt", "is damaged, or holds more than tensors"),
        ("text.npy", "text.npy cannot be read: it is damaged"),
        ("nowhere.npy", "cannot be read: No such file"),
        ("rows.xlsx", "cannot be read: No such file"),
    ):
        with pytest.raises(UsageError, match=fault):
            asked_rows(tmp_path / name, learnt(ROWS))
