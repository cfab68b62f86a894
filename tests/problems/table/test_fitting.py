"""Each fold has a preparation of its own, fitted on its training rows: as if it were the split."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.make import lanes
from tests.problems.table.tables import mixed_frame, refused, same_rows, same_tables
from xortune.engines.plain.engine import PlainEngine
from xortune.errors import UsageError
from xortune.problems.table.folds import cut_into_folds
from xortune.problems.table.recipe import Recipe
from xortune.problems.table.spec import table_spec
from xortune.problems.table.splitting import DEFAULT_SPLIT, split_rows
from xortune.problems.table.table import load_table, load_table_again
from xortune.trial import Outcome

FOLDS = 4  # of 80 % of the rows: as many validate as in a split of 60/20/20
TARGETS = ("weight", "member", "kind")


def frame_of(target):
    """A hundred rows, those of a class one after the other."""
    frame = mixed_frame(100)
    frame["kind"] = np.repeat(["ash", "fir", "oak"], (20, 40, 40))
    frame["member"] = np.repeat([False, True], (40, 60))
    return frame


def rearranged(frame, parts, cut):
    """The rows in an order in which the split makes the parts of a fold."""
    rows = np.empty(len(frame), int)
    for place, row in zip(parts, cut):
        rows[place] = row
    return frame.iloc[rows].reset_index(drop=True)


def oracles(target):
    """Tables without folds, one for each fold: their split makes the same parts."""
    frame = frame_of(target)
    codes = None if target == "weight" else pd.factorize(frame[target], sort=True)[0]
    parts = split_rows(len(frame), DEFAULT_SPLIT, 0, codes)
    cuts = cut_into_folds(parts, FOLDS, 0, codes)
    assert [len(part) for cut in cuts for part in cut] == [60, 20, 20] * FOLDS
    return [load_table(rearranged(frame, parts, cut), target) for cut in cuts]


def bits(outcome: Outcome) -> str:
    return repr(replace(outcome, duration_s=None))


@pytest.mark.parametrize("target", TARGETS)
def test_a_fold_is_prepared_as_a_table_that_is_split_like_it(target):
    table = load_table(frame_of(target), target, folds=FOLDS)
    for fold, oracle in zip(table.folds, oracles(target), strict=True):
        assert same_rows(fold.training, oracle.training)
        assert same_rows(fold.validation, oracle.validation)
        assert fold.target == oracle.recipe.target


@pytest.mark.parametrize("target", TARGETS)
def test_a_fold_trains_as_a_table_that_is_split_like_it(target):
    table = load_table(frame_of(target), target, folds=FOLDS)
    spec = table_spec(table.recipe.target.task)
    params = spec.assignment({"epochs": 3, "width": 5, "dropout": 0.2})
    first = table.training, table.validation, table.recipe.target, spec
    engine = PlainEngine(*first, table.folds)
    every = [lane._replace(fold=k) for k, lane in enumerate(lanes([params] * FOLDS))]
    outcomes = engine.open("cpu").train(every, 1)
    expected = [
        PlainEngine(one.training, one.validation, one.recipe.target, spec)
        .open("cpu")
        .train(lanes([params]), 1)[0]
        for one in oracles(target)
    ]
    assert [*map(bits, outcomes)] == [*map(bits, expected)]
    assert len({*map(bits, outcomes)}) == FOLDS


def test_the_tables_own_rows_are_those_of_the_first_fold():
    table = load_table(mixed_frame(), "weight", folds=5)
    first = table.folds[0]
    assert first.training is table.training
    assert first.validation is table.validation
    assert first.target == table.recipe.target
    assert table.recipe.rows == (38, 10, 12)
    assert table.recipe.folds == 5
    x, _ = table.recipe.prepare(mixed_frame())
    assert {row.tobytes() for row in table.validation.x} < {row.tobytes() for row in x}


def test_the_test_rows_are_those_of_the_split():
    one, folded = (load_table(mixed_frame(), "member", folds=k) for k in (None, 3))
    assert one.test.y.tolist() == folded.test.y.tolist()
    assert one.folds == ()


def test_folds_may_have_other_numbers_of_inputs():
    frame = mixed_frame(100)
    rows = np.concatenate(split_rows(100, DEFAULT_SPLIT, 0)[:2])
    frame.loc[rows[0], "height"] = np.nan
    frame.loc[rows[1], "colour"] = "pink"
    widths = {fold.training.x.shape[1] for fold in load_table(frame, "weight", folds=5).folds}
    assert len(widths) > 1


@pytest.mark.parametrize("target", ["weight", "member", "colour"])
def test_a_recorded_recipe_gives_the_same_folds_again(target):
    frame = mixed_frame()
    table = load_table(frame, target, split="50/30/20", split_seed=7, folds=3)
    recorded = json.loads(json.dumps(table.recipe.to_dict()))
    again = load_table_again(frame, Recipe.from_dict(recorded))
    assert same_tables(table, again)
    assert table.recipe == again.recipe
    for one, other in zip(table.folds, again.folds, strict=True):
        assert same_rows(one.training, other.training)
        assert same_rows(one.validation, other.validation)
        assert one.target == other.target


def with_one_row(value, rest, fold=0):
    """A column that has another value in the first validation row of a fold of three."""
    parts = split_rows(60, DEFAULT_SPLIT, 0)
    column = np.full(60, rest, dtype=object)
    column[cut_into_folds(parts, 3, 0)[fold].validation[0]] = value
    return column


@pytest.mark.parametrize(("value", "rest"), [(1.0, 0.0), ("yes", "no")])
def test_a_column_that_is_constant_in_one_fold_is_left_out_of_all(value, rest):
    column = pd.Series(with_one_row(value, rest)).infer_objects()
    frame = mixed_frame().assign(rare=column)
    table = load_table(frame, "weight", folds=3)
    assert dict(table.recipe.left_out)["rare"] == "constant in a fold"
    assert dict(table.recipe.left_out)["planet"] == "constant"
    assert "left out, constant in a fold: rare" in table.notes
    without = load_table(mixed_frame(), "weight", folds=3)
    assert [fold.training.x.tobytes() for fold in table.folds] == [
        fold.training.x.tobytes() for fold in without.folds
    ]
    assert table.digest == without.digest
    assert same_tables(load_table_again(frame, table.recipe), table)
    assert refused(frame[["rare", "weight"]], "weight", folds=3) == (
        "data has no column to learn from, besides the target ('rare': constant in a fold)."
    )


def test_a_target_that_is_constant_in_the_training_rows_of_a_fold_is_refused():
    frame = mixed_frame().assign(weight=with_one_row(5.5, 2.5).astype(float))
    assert refused(frame, "weight", task="regression", folds=3) == (
        "data: target 'weight' is the same in all training rows of fold 0, so there is nothing to "
        "learn there. Name another split_seed, or leave folds out."
    )


def test_a_target_that_is_constant_in_validation_rows_has_no_r2_and_the_rest():
    frame = mixed_frame().assign(weight=lambda f: f["weight"].round())
    table = load_table(frame, "weight", folds=48)
    spec = table_spec("regression")
    engine = PlainEngine(table.training, table.validation, table.recipe.target, spec, table.folds)
    lane = lanes([spec.assignment({"epochs": 2})])[0]._replace(fold=7)
    (outcome,) = engine.open("cpu").train([lane], None)
    assert outcome.state == "COMPLETE"
    lacking = [name for name, score in outcome.scores.items() if np.isnan(score)]
    assert lacking == ["r2"]


def test_other_data_is_refused_or_has_another_digest():
    frame = mixed_frame()
    table = load_table(frame, "weight", folds=3)
    changed = frame.assign(height=frame["height"].where(frame.index != 7, 1.0))
    assert load_table_again(changed, table.recipe).digest != table.digest
    with pytest.raises(UsageError, match="not the data .* column 'height' is constant in a fold"):
        load_table_again(frame.assign(height=with_one_row(1.0, 0.0, 1).astype(float)), table.recipe)
    classes = load_table(frame, "colour", folds=3)
    fewer = frame.assign(colour=["red"] * 57 + ["blue", "green", "blue"])
    assert load_table_again(fewer, classes.recipe).digest != classes.digest
