"""Columns that are left out as asked, and those whose numbers are categories."""

import json

import pandas as pd
import pytest

from tests.problems.table.tables import lines, mixed_frame, refused, same_tables, written
from xortune.problems.table.reading import read_frame
from xortune.problems.table.recipe import Recipe
from xortune.problems.table.table import load_table, load_table_again


def recorded(table):
    """The recipe as it comes back from a study."""
    return Recipe.from_dict(json.loads(json.dumps(table.recipe.to_dict())))


def test_a_column_is_left_out_as_asked():
    frame = mixed_frame()
    table = load_table(frame, "weight", drop=["town", "since"])
    assert same_tables(table, load_table(frame.drop(columns=["town", "since"]), "weight"))
    assert "left out, as asked: town, since" in table.notes
    assert table.recipe.left_out[:2] == (("town", "as asked"), ("since", "as asked"))
    assert same_tables(load_table_again(frame, recorded(table)), table)
    assert load_table(frame, "weight", drop="town").recipe.left_out[0] == ("town", "as asked")


def test_the_content_of_a_column_that_is_left_out_does_not_matter(tmp_path):
    path = written(tmp_path, lines("a;b;y", lambda i: f"{i}.5;{i * 7 % 5};{i * i},25"))
    assert "decimal comma" in refused(path)
    table = load_table(path, "y", drop=["a"])
    assert table.recipe.input_names == ("b",)
    assert same_tables(load_table_again(path, recorded(table)), table)
    frame = mixed_frame().assign(bad=[*map(str, range(57)), "1O", "2O", "3O"])
    assert "'1O' in row 58 is not a number" in refused(frame, "weight")
    assert ("bad", "as asked") in load_table(frame, "weight", drop=["bad"]).recipe.left_out


def test_numbers_are_categories_as_asked(tmp_path):
    text = lines("postcode,x,y", lambda i: f"0{i % 3 + 1}067,{i % 7},{i}.5", 40)
    path = written(tmp_path, text)
    assert load_table(path, "y").recipe.input_names == ("postcode", "x")
    table = load_table(path, "y", text=["postcode"])
    assert table.recipe.columns[0].words == ("01067", "02067", "03067")
    assert same_tables(load_table_again(path, recorded(table)), table)
    recipe = recorded(table)
    x, notes = recipe.prepare(read_frame(path, recipe.text_columns))
    assert (x[:, :3].sum(), notes) == (40, [])


def test_numbers_of_a_frame_and_of_arrays_are_categories_as_asked():
    frame = pd.DataFrame(
        {"code": [10.0, 20.0] * 10, "x": range(20), "y": [i / 7 for i in range(20)]}
    )
    table = load_table(frame, "y", text=["code"])
    assert table.recipe.columns[0].words == ("10", "20")
    assert same_tables(load_table_again(frame, recorded(table)), table)
    arrays = (frame[["code", "x"]].to_numpy(), frame["y"].to_numpy())
    assert load_table(arrays, text=["x0"]).recipe.columns[0].words == ("10", "20")


def test_categories_that_hardly_repeat_stay_where_they_are_asked_for():
    frame = pd.DataFrame({"code": range(500, 520), "x": range(20), "y": [i / 7 for i in range(20)]})
    table = load_table(frame, "y", text=["code"])
    assert table.recipe.columns[0].name == "code"
    assert len(table.recipe.columns[0].words) == 12


@pytest.mark.parametrize("kind", ["drop", "text"])
def test_a_name_that_is_no_column_is_refused_with_a_hint(kind):
    message = refused(mixed_frame(), "weight", **{kind: ["Colr", "zzz"]})
    first, second = message.split("\n")
    assert first.startswith(f"{kind} 'Colr': data has no such column. Did you mean 'colour'? Its")
    assert second.startswith(f"{kind} 'zzz': data has no such column. Its columns are height, ")


def test_what_cannot_be_asked_is_refused():
    frame = mixed_frame()
    assert refused(frame, "weight", drop=["weight"]) == (
        "drop 'weight': is the target. Leave it out of drop."
    )
    assert "Use task='classes' instead." in refused(frame, "weight", text=["weight"])
    assert refused(frame, "weight", drop=["age"], text=["age"]) == (
        "text 'age': drop leaves it out. Use one of the two."
    )
    assert refused(frame, "weight", drop=3) == "drop 3: must be a list of names of columns."
    assert "no column to learn from" in refused(frame[["age", "weight"]], "weight", drop=["age"])
