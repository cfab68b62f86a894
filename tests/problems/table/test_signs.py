"""Numbers with the sign of a currency or of percent are numbers."""

import json

import pandas as pd
import pytest

from tests.problems.table.tables import lines, refused, same_tables, written
from xortune.problems.table.reading import read_frame
from xortune.problems.table.recipe import Recipe
from xortune.problems.table.signs import without_signs
from xortune.problems.table.table import load_table, load_table_again


def bare(*cells):
    frame, marks = without_signs("data", pd.DataFrame({"a": list(cells)}, dtype=object), ())
    return frame["a"].tolist(), marks


@pytest.mark.parametrize(
    ("cells", "expected", "sign"),
    [
        (["€ 145,400", "€ 1,200", "€900"], ["145400", "1200", "900"], "€"),
        (["$1,200.50", "-$3.25", "$-4", "+$ 5"], ["1200.50", "-3.25", "-4", "+5"], "$"),
        (["45%", "12.5 %", "-3\u202f%", ".5%"], ["45", "12.5", "-3", ".5"], "%"),
        (["1.234,50 €", "12,00\u00a0€", "7 €"], ["1234.50", "12.00", "7"], "€"),
        (["£5", "£6", None, "n/a", "Unknown"], ["5", "6", None, "n/a", "Unknown"], "£"),
        (["₹1,00"] * 9 + ["7"], ["1.00"] * 9 + ["7"], "₹"),
        (["€5"] * 19 + ["$7"], ["5"] * 19 + ["$7"], "€"),
    ],
)
def test_signs_are_taken_away(cells, expected, sign):
    found, marks = bare(*cells)
    assert [None if cell is None or cell != cell else cell for cell in found] == expected
    assert marks[f"the sign {sign}"] == ["a"]


@pytest.mark.parametrize(
    "cells",
    [
        ["€5", "$6", "€7"],
        ["50%", "half", "30%"],
        ["100% wool", "50% wool"],
        ["5 kg", "6 kg"],
        ["%", "€"],
        ["5€%", "5 € 6"],
        [1.5, 2.5],
        ["€5", 6.0],
        [None, None],
        ["\ud800"],
    ],
)
def test_others_stay_as_they_are(cells):
    found, marks = bare(*cells)
    assert [cell for cell in found if cell == cell] == [cell for cell in cells if cell == cell]
    assert not marks


def prices(i):
    return f'"€ {i * i + 1:,}.50",{i * 7 % 10}.5 %,{i % 4},{i * 3}'


def test_money_and_percent_are_numbers_from_every_source(tmp_path):
    path = written(tmp_path, lines("price,share,x,y", prices, 40))
    table = load_table(path, "price")
    assert "read with the sign €: price" in table.notes
    assert "read with the sign %: share" in table.notes
    assert "target price: 40 numbers from 1.5 to 1522.5, taken as regression" in table.notes
    assert table.recipe.input_names == ("share", "x", "y")
    frame = pd.read_csv(path)
    assert same_tables(load_table(frame, "price"), table)
    assert frame["price"][0] == "€ 1.50"
    recipe = Recipe.from_dict(json.loads(json.dumps(table.recipe.to_dict())))
    for data in (path, frame):
        assert same_tables(load_table_again(data, recipe), table)
    plain = frame.assign(share=[float(share.rstrip(" %")) for share in frame["share"]])
    assert recipe.prepare(read_frame(frame))[0].tobytes() == recipe.prepare(plain)[0].tobytes()
    assert recipe.prepare(read_frame(frame))[1] == []


def test_signs_stay_in_columns_of_text(tmp_path):
    path = written(tmp_path, lines("off,x,y", lambda i: f"{i % 3}0%,{i * i},{i * 3}", 40))
    table = load_table(path, "y", text=["off"])
    assert table.recipe.columns[0].words == ("00%", "10%", "20%")


def test_another_sign_is_refused_with_its_row():
    cells = [*(f"€ {i}" for i in range(30)), "$ 7", "$ 8", "$ 9"]
    frame = pd.DataFrame({"price": cells, "x": range(33), "y": [i / 7 for i in range(33)]})
    assert "column 'price': '$ 7' in row 31 is not a number, but 30" in refused(frame)


def test_points_in_money_that_may_be_either_mark_are_refused():
    frame = pd.DataFrame(
        {"price": ["950 €", "1.200 €"] * 10, "x": range(20), "y": [i * i for i in range(20)]}
    )
    assert refused(frame) == (
        "data: column 'price': is the point in '1.200' a decimal point, or at thousands? Beside "
        "'950' it may be either. Write these numbers without points."
    )
    assert load_table(frame, "y", drop=["price"]).recipe.input_names == ("x",)
    assert bare("$3.459", "$3.999")[0] == ["3.459", "3.999"]
    assert bare("0.950%", "1.200%", "3%")[0] == ["0.950", "1.200", "3"]
    assert bare("$0.125", "$1.200", "$3")[0] == ["0.125", "1.200", "3"]
    assert bare("1.200,00 €", "1.200 €", "3 €")[0] == ["1200.00", "1200", "3"]
