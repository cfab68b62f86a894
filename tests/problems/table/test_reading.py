"""Files of every kind, and what is said of those that cannot be read. Nothing is executed."""

import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from tests.problems.table.tables import lines, mixed_frame, refused, written
from xortune.errors import UsageError
from xortune.problems.table.reading import read_frame
from xortune.problems.table.table import load_table


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_file_that_is_not_there_names_one_with_a_similar_name(tmp_path):
    written(tmp_path, "a,y\n")
    message = refused(tmp_path / "wine.cvs")
    assert message.endswith("cannot be read: No such file or directory. Did you mean 'wine.csv'?")


@pytest.mark.parametrize("path", ["", "with\0null", "a" * 5000])
def test_paths_that_cannot_be(path):
    assert "cannot be read" in refused(path) or "is not a file" in refused(path)


def test_a_name_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.csv")
    path.write_text("a,y\n")
    assert refused(path).endswith("the name is not UTF-8. Rename the file.")


def test_a_folder_is_refused(tmp_path):
    assert "is not a file. Tables are read from CSV" in refused(tmp_path)


@pytest.mark.parametrize("name", ["wine", "wine.json", "wine.gz", "wine.pkl", ".csv.zip"])
def test_other_kinds_of_files_are_refused(tmp_path, name):
    message = refused(written(tmp_path, "a,y\n1,2\n", name))
    assert "its format is not known. Tables are read from CSV (.csv, .tsv" in message


def test_a_spreadsheet_names_the_remedy(tmp_path):
    assert "Save the sheet as CSV." in refused(written(tmp_path, "x", "wine.xlsx"))


def test_suffixes_in_capitals_are_known(tmp_path):
    path = written(tmp_path, lines("a,y", lambda i: f"{i % 5},{i}"), "WINE.CSV")
    assert load_table(str(path), "y").name == "WINE.CSV"


@pytest.mark.parametrize("data", [7, None, [1, 2, 3], object()])
def test_other_objects_are_refused(data):
    assert "must be a path, a DataFrame, or a pair (X, y)" in refused(data)


@pytest.mark.parametrize("suffix", ["npz", "pt", "pth", "parquet"])
@pytest.mark.parametrize("content", [b"", b"abc", b"PK\3\4 damaged", bytes(100)])
def test_damaged_files_are_refused(tmp_path, suffix, content):
    name = f"wine.{suffix}"
    assert refused(written(tmp_path, content, name)).startswith(f"{name} cannot be read")


def test_objects_in_npz_are_refused_and_not_executed(tmp_path):
    trap = np.array([Trap(tmp_path / "sprung")], dtype=object)
    np.savez(tmp_path / "wine.npz", X=trap, y=np.zeros(1))
    assert "holds Python objects, which are not loaded" in refused(tmp_path / "wine.npz")
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    refused(tmp_path / "bare.npz")
    assert not (tmp_path / "sprung").exists()


def test_objects_in_pt_are_refused_and_not_executed(tmp_path):
    torch.save({"X": Trap(tmp_path / "sprung"), "y": torch.zeros(1)}, tmp_path / "wine.pt")
    message = refused(tmp_path / "wine.pt")
    assert message.startswith("wine.pt cannot be read: it is damaged, or holds more than tensors.")
    assert "weights_only" not in message
    assert not (tmp_path / "sprung").exists()


def test_a_pt_file_without_a_dictionary(tmp_path):
    torch.save(torch.zeros(3), tmp_path / "wine.pt")
    assert "holds a Tensor. It must hold a dict of tensors X and y." in refused(
        tmp_path / "wine.pt"
    )


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros(3), "z": np.zeros(3)}, "data holds x, z. It must hold the arrays X and y."),
        ({"X": np.zeros((5, 2)), "y": np.zeros(4)}, "data: X has 5 rows, but y has 4."),
        ({"X": np.zeros((5, 8, 8)), "y": np.zeros(5)}, "(5, 8, 8); it must have rows and columns"),
        ({"X": np.zeros((5, 2)), "y": np.zeros((5, 3))}, "y has shape (5, 3); it must have one"),
        ({"X": np.zeros((5, 2), complex), "y": np.zeros(5)}, "X holds values of type complex128"),
        ({"X": [[1], [1, 2]], "y": [1, 2]}, "data: X is not an array: "),
        ({"X": np.zeros((5, 2))}, "data has X, but no y to learn"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays, message):
    assert message in refused(arrays)


def test_images_are_to_be_reshaped():
    message = refused((np.zeros((5, 8, 8)), np.zeros(5)))
    assert message.endswith("Reshape it to (5, 64).")


def test_tensors_of_every_type_are_read():
    x = torch.arange(40.0, requires_grad=True).reshape(20, 2)
    for kind in (torch.float16, torch.bfloat16, torch.float64, torch.int32, torch.bool):
        assert load_table((x.to(kind), torch.arange(20.0) ** 2)).recipe.rows == (12, 4, 4)


def test_classes_of_arrays_may_be_text():
    y = np.array(["no", "yes"] * 10)
    assert load_table((np.arange(20.0), y)).recipe.target.classes == ("no", "yes")
    assert load_table((np.arange(20.0), y.tolist())).recipe.target.classes == ("no", "yes")


def test_new_rows_of_arrays_need_no_target(tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 2))
    recipe = load_table((x, x[:, 0] * 2 + x[:, 1])).recipe
    np.savez(tmp_path / "new.npz", X=x)
    expected = recipe.prepare(read_frame((x, x[:, 0])))[0]
    for data in (x, {"X": x}, torch.tensor(x), tmp_path / "new.npz"):
        assert recipe.prepare(read_frame(data))[0].tobytes() == expected.tobytes()


def test_a_parquet_file_of_many_types(tmp_path):
    frame = mixed_frame()
    table = pa.table(
        {
            "dictionary": pa.array(frame["colour"]).dictionary_encode(),
            "decimal": pa.array([round(v, 2) for v in frame["height"]]).cast(pa.decimal128(9, 2)),
            "float": pa.array(frame["height"], type=pa.float32()),
            "large": pa.array(frame["town"], type=pa.large_string()),
            "day": pa.array(frame["since"]).cast(pa.date32()),
            "clock": pa.array(range(60)).cast(pa.int32()).cast(pa.time32("s")),
            "nested": pa.array([[1], [2, 3]] * 30),
            "struct": pa.array([{"a": 1}] * 60),
            "bytes": pa.array([b"a"] * 60),
            "nothing": pa.nulls(60),
            "y": pa.array(frame["weight"]),
        }
    )
    pq.write_table(table, tmp_path / "wine.parquet")
    recipe = load_table(tmp_path / "wine.parquet", "y").recipe
    assert [column.name for column in recipe.columns] == ["dictionary", "decimal", "float", "large"]
    assert dict(recipe.left_out) == {
        "day": "dates or times",
        "clock": "dates or times",
        "nested": "values of type ndarray",
        "struct": "values of type dict",
        "bytes": "values of type bytes",
        "nothing": "empty",
    }


def test_a_frame_of_another_library_is_read():
    frame = mixed_frame()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    assert load_table(table, "weight").digest == load_table(frame, "weight").digest


def test_a_pair_whose_names_clash_is_refused():
    x = pd.DataFrame({"a": np.arange(9.0), "y": 1})
    with pytest.raises(UsageError, match="'y' is in X, and y has the same name"):
        load_table((x, np.arange(9.0)))
    with pytest.raises(UsageError, match="X has 9 rows, but y has 8"):
        load_table((x, pd.Series(np.arange(8.0), name="z")))
