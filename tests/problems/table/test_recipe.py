"""A recipe is plain data: it comes back from JSON as it was, and a forged one is refused."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.problems.table.tables import mixed_frame
from xortune.problems.table.preparation import NumberColumn, WordsColumn
from xortune.problems.table.recipe import Recipe
from xortune.problems.table.rows import Target
from xortune.problems.table.table import load_table

finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(0, exclude_min=True, allow_infinity=False)
texts = st.text(max_size=8)
numbers = st.builds(NumberColumn, texts, finite, finite, positive, st.booleans())
words = st.builds(
    WordsColumn,
    texts,
    st.lists(texts, min_size=1, max_size=30, unique=True).map(tuple),
    st.booleans(),
    st.booleans(),
)
classes = st.lists(texts, min_size=2, max_size=9, unique=True).map(tuple)
targets = (
    st.builds(Target, st.just("regression"), st.just(()), finite, positive)
    | st.builds(Target, st.just("classes"), classes)
    | st.builds(Target, st.just("binary"), classes.map(lambda names: names[:2]))
)


@st.composite
def recipes(draw):
    columns = draw(st.lists(numbers | words, min_size=1, max_size=5, unique_by=lambda c: c.name))
    used = {column.name for column in columns}
    names = draw(st.lists(texts.filter(lambda t: t not in used), min_size=1, unique=True))
    left_out = tuple((name, draw(texts)) for name in names[1:])
    training = draw(st.floats(1, 98))
    validation = draw(st.floats(0.5, 99 - training))
    rows = tuple(draw(st.lists(st.integers(1, 2**40), min_size=3, max_size=3)))
    return Recipe(
        names[0],
        draw(targets),
        tuple(columns),
        left_out,
        (training, validation, 100 - training - validation),
        draw(st.integers(0, 2**32 - 1)),
        rows,
        draw(st.none() | st.integers(2, rows[0] + rows[1])),
    )


@given(recipes())
def test_a_recipe_comes_back_from_json(recipe):
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    assert repr(again) == repr(recipe)


def test_a_recipe_without_folds_is_recorded_as_ever():
    assert "folds" not in RECORDED
    assert Recipe.from_dict(RECORDED).folds is None
    assert load_table(mixed_frame(), "weight", folds=3).recipe.to_dict()["folds"] == 3


def test_the_recipe_of_a_table_comes_back_and_prepares_alike():
    frame = mixed_frame()
    recipe = load_table(frame, "weight").recipe
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    assert again.prepare(frame)[0].tobytes() == recipe.prepare(frame)[0].tobytes()


def paths(value, path=()):
    """The path of every value inside a recorded recipe."""
    yield path
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield from paths(value[key], (*path, key))


def changed(values, path, new):
    """A copy with another value at a path, or without it if that is `...`."""
    values = json.loads(json.dumps(values))
    place = values
    for key in path[:-1]:
        place = place[key]
    if new is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = new
    return values


RECORDED = json.loads(json.dumps(load_table(mixed_frame(), "weight").recipe.to_dict()))
STRANGE = (None, "nan", -1, float("nan"), float("inf"), 10**400, [], {}, [[]], True, ...)


@pytest.mark.parametrize("path", [p for p in paths(RECORDED) if p], ids=str)
def test_strange_values_are_refused_or_harmless(path):
    """Whatever stands in a forged recipe, it is refused with a ValueError, or is a recipe."""
    for new in STRANGE:
        try:
            recipe = Recipe.from_dict(changed(RECORDED, path, new))
        except ValueError:
            continue
        x, _ = recipe.prepare(mixed_frame())
        assert x.shape == (60, recipe.inputs)


@pytest.mark.parametrize("values", [None, [], "x", {}, {"columns": []}, {**RECORDED, "code": "x"}])
def test_what_is_not_a_recipe_is_refused(values):
    with pytest.raises(ValueError, match="recipe"):
        Recipe.from_dict(values)


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (("columns",), []),
        (("columns", 0, "kind"), "pickle"),
        (("columns", 0, "scale"), 0.0),
        (("columns", 0, "name"), "age"),
        (("columns", 0, "name"), "weight"),
        (("columns", 0, "indicator"), 1),
        (("columns", 0, "more"), 1),
        (("columns", 2, "words"), [f"{i}" for i in range(31)]),
        (("columns", 2, "words"), ["red", "red"]),
        (("target", "task"), "rank"),
        (("target", "classes"), ["a", "b"]),
        (("target", "scale"), float("inf")),
        (("split",), [60, 20, 21]),
        (("split",), [60, 40]),
        (("split_seed",), 2**32),
        (("split_seed",), 0.0),
        (("rows",), [1, 2]),
        (("rows", 2), 0),
        (("left_out", 0), ["since"]),
        (("folds",), None),
        (("folds",), 1),
        (("folds",), 3.0),
        (("folds",), 49),
    ],
)
def test_forged_recipes_are_refused(path, new):
    with pytest.raises(ValueError, match=r"^\w+: "):
        Recipe.from_dict(changed(RECORDED, path, new))


def test_a_recipe_is_read_without_pandas_and_torch():
    script = f"""
import sys
from xortune.problems.table.recipe import Recipe

recipe = Recipe.from_dict({RECORDED!r})
print(recipe.inputs, [name for name in ("pandas", "pyarrow", "torch") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "20 []\n"
