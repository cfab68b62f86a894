"""A table from any form: the same digest, the same rows, and the same again by its recipe."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from tests.problems.table.tables import lines, mixed_frame, refused, same_tables, written
from xortune.errors import UsageError
from xortune.problems.table.reading import read_frame
from xortune.problems.table.recipe import Recipe
from xortune.problems.table.table import load_table, load_table_again


@pytest.fixture
def forms(tmp_path):
    """The same content as a frame, in Python and in files."""
    frame = mixed_frame()
    frame.to_csv(tmp_path / "one.csv", index=False)
    frame.to_csv(tmp_path / "two.csv.gz", index=False, sep=";", na_rep="n/a")
    frame.to_csv(tmp_path / "three.tsv", index=False, sep="\t", na_rep="?", quoting=1)
    frame.to_parquet(tmp_path / "one.parquet", index=False)
    frame.to_parquet(tmp_path / "two.pq", row_group_size=7)
    names = ("one.csv", "two.csv.gz", "three.tsv", "one.parquet", "two.pq")
    types = {"colour": "category", "town": "object", "age": "Int64", "member": "boolean"}
    return [frame, frame.astype(types), *(tmp_path / name for name in names)]


@pytest.mark.parametrize("target", ["weight", "member", "colour"])
def test_every_form_of_a_table_is_the_same_table(forms, target):
    tables = [load_table(form, target) for form in forms]
    assert all(same_tables(table, tables[0]) for table in tables)
    assert {table.recipe for table in tables} == {tables[0].recipe}
    assert [table.name for table in tables[2:]] == [path.name for path in forms[2:]]
    assert {table.name for table in tables[:2]} == {"data"}


@pytest.mark.parametrize("target", ["weight", "member", "colour"])
def test_a_recorded_recipe_gives_the_same_table_again(forms, target):
    table = load_table(forms[0], target, split="50/30/20", split_seed=7)
    recipe = Recipe.from_dict(json.loads(json.dumps(table.recipe.to_dict())))
    assert all(same_tables(load_table_again(form, recipe), table) for form in forms)


def test_arrays_tensors_and_their_files_are_the_same_table(tmp_path):
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(40, 3)).astype(np.float32), draw.integers(0, 3, 40)
    np.savez(tmp_path / "one.npz", X=x, y=y)
    np.savez_compressed(tmp_path / "two.npz", X=x, y=y[:, None], more=np.zeros(3))
    tensors = {"X": torch.tensor(x), "y": torch.tensor(y)}
    torch.save(tensors, tmp_path / "one.pt")
    files = [tmp_path / name for name in ("one.npz", "two.npz", "one.pt")]
    named = pd.DataFrame({**{f"x{i}": x[:, i] for i in range(3)}, "y": y})
    forms = [(x, y), [x, y], {"X": x, "y": y}, tensors, tuple(tensors.values()), *files]
    tables = [load_table(form) for form in forms]
    assert all(same_tables(table, tables[0]) for table in tables)
    assert load_table(named, "y").digest == tables[0].digest
    assert tables[0].recipe.input_names == ("x0", "x1", "x2")
    assert tables[0].recipe.target.classes == ("0", "1", "2")


def test_pairs_of_pandas_keep_their_names():
    frame = mixed_frame()
    x, y = frame.drop(columns="weight"), frame["weight"]
    assert same_tables(load_table((x, y)), load_table(frame, "weight"))
    y.index = y.index + 5
    assert same_tables(load_table((x, y), "weight"), load_table(frame, "weight"))
    assert load_table((x, y.to_numpy())).recipe.target_name == "y"


def test_the_same_arguments_give_the_same_table():
    tables = [load_table(mixed_frame(), "weight", split_seed=3) for _ in range(2)]
    assert same_tables(*tables)
    assert tables[0].notes == tables[1].notes


def test_a_given_frame_is_left_as_it_is():
    frame = mixed_frame().rename(columns={"height": 7})
    before = frame.copy(deep=True)
    load_table(frame, "weight")
    pd.testing.assert_frame_equal(frame, before)


def test_the_parts_are_float32_of_the_recorded_sizes():
    table = load_table(mixed_frame(), "weight", split=(50, 25, 25))
    parts = (table.training, table.validation, table.test)
    assert tuple(len(rows.y) for rows in parts) == table.recipe.rows == (30, 15, 15)
    assert {rows.x.shape[1] for rows in parts} == {table.recipe.inputs}
    assert {rows.x.dtype for rows in parts} == {np.dtype("float32")}
    assert all(np.isfinite(rows.x).all() for rows in parts)


def again(frame, table):
    with pytest.raises(UsageError) as raised:
        load_table_again(frame, table.recipe)
    return str(raised.value)


def test_other_data_is_refused_or_has_another_digest():
    frame = mixed_frame()
    table = load_table(frame, "weight")
    assert again(frame.drop(columns=["age", "weight"]), table) == (
        "data is not the data of this study: it has no column 'weight', 'age'."
    )
    assert again(frame.iloc[:50], table) == (
        "data is not the data of this study: it has 50 rows, and the study's has 60."
    )
    changed = frame.assign(height=frame["height"].where(frame.index != 7, 1.0))
    assert load_table_again(changed, table.recipe).digest != table.digest
    assert load_table_again(frame.assign(age="abc"), table.recipe).digest != table.digest


def test_other_classes_are_refused():
    frame = mixed_frame()
    table = load_table(frame, "colour")
    other = frame.assign(colour=frame["colour"].replace("red", "pink"))
    assert "has other classes than the study's, blue, green, red" in again(other, table)


def test_tables_of_few_rows(tmp_path):
    frame = pd.DataFrame({"x": [1.5, 2.5, 0.5, 7], "y": [1.0, 2, 3, 4]})
    assert refused(frame) == "data has 4 rows. A search needs at least 5."
    more = pd.concat([frame, frame + 0.25])
    assert load_table(more, "y").recipe.rows == (4, 2, 2)
    assert refused(frame.iloc[:0]) == "data has no rows."


def test_columns_called_alike_are_refused():
    frame = pd.DataFrame([[1.0, 2.0, 3.0]] * 9, columns=["1", 1, "y"])
    assert "more than one column is called '1'" in refused(frame)


def test_text_with_zeros_before_it_stays_text_when_it_is_read_again(tmp_path):
    codes = [f"0{i % 3}" if i % 5 else "x" for i in range(40)]
    text = lines("code,z,y", lambda i: f"{codes[i]},{i % 4},{i}.5", 40)
    path = written(tmp_path, text)
    table = load_table(path, "y")
    assert table.recipe.columns[0].words == ("00", "01", "02", "x")
    assert same_tables(load_table_again(path, table.recipe), table)
    numbers = written(tmp_path, text.replace("x", "01"), "numbers.csv")
    x, notes = table.recipe.prepare(read_frame(numbers, table.recipe.text_columns))
    assert (x[:, :3].sum(), notes) == (40, [])
