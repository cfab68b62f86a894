"""A module that brings no data learns from a table, prepared as xortune prepares tables."""

import numpy as np
import pandas as pd
import pytest
import torch
from pandas.testing import assert_frame_equal
from torch import nn

import xortune
from tests.small_study import answer
from xortune.errors import UsageError
from xortune.problems.table.table import load_table
from xortune.studies.problems import requested
from xortune.studies.reproduction import named_again, search_command

SPACE = {"width": {"min": 3, "max": 9}, "epochs": {"value": 3}}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Two inputs, a word, a number to learn, and two and three classes."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 2))
    value = x[:, 0] - x[:, 1] + 0.1 * draw.normal(size=60)
    file = tmp_path_factory.mktemp("table") / "wine.csv"
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "kind": draw.choice(["u", "v", "w"], 60)})
    frame["value"] = value
    frame["two"] = np.where(value > 0, "yes", "no")
    frame["three"] = np.digitize(value, (-0.7, 0.7)).astype(str)
    frame.to_csv(file, index=False)
    return file


def model(inputs: int, outputs: int, width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, outputs))


def hits(output, target):
    guess = output.argmax(1) if output.shape[1] > 1 else output[:, 0] > 0
    return (guess == target).float().mean()


def problem(loss="mse", **declared):
    return xortune.Problem(model=model, loss=loss, space=SPACE, **declared)


def search(table, tmp_path, target, loss, drop=("value", "two", "three"), total=2, **more):
    return xortune.search(
        problem=problem(loss, metrics={"hits:max": hits}),
        data=table, target=target, drop=[name for name in drop if name != target],
        trials=total, name=target, results=tmp_path / "results", confirm="none", **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("target", "loss", "outputs"),
    [
        ("value", "mse", 1), ("two", "bce_with_logits", 1), ("two", "cross_entropy", 2),
        ("three", "cross_entropy", 3),
    ],
)  # fmt: skip
def test_the_rows_and_the_outputs_are_those_of_the_tables_task(
    table, tmp_path, target, loss, outputs
):
    study = search(table, tmp_path, target, loss)
    assert set(study.trials["state"]) == {"COMPLETE"}
    assert (study.settings.data, study.settings.problem["kind"]) == ("wine.csv", "module")
    named = {"problem": problem(loss, metrics={"hits:max": hits}), "data": table}
    trained = study.model(int(study.best["number"]), **named)
    # Two numbers, and a column for each of three words.
    assert trained(torch.zeros(1, 5)).shape == (1, outputs)


def test_a_resume_names_both_again(table, tmp_path):
    study = search(table, tmp_path, "value", "mse")
    again = problem(metrics={"hits:max": hits})
    with pytest.raises(UsageError, match=r"study value searches wine\.csv, .* its data: name it"):
        xortune.resume(study.paths.folder, trials=4, problem=again)
    with pytest.raises(UsageError, match="does not keep its code: name it again, with problem"):
        xortune.resume(study.paths.folder, trials=4, data=table)
    other = tmp_path / "wine.csv"
    frame = pd.read_csv(table)
    frame.loc[0, "a"] += 1
    frame.to_csv(other, index=False)
    with pytest.raises(UsageError, match="is not the data of study value, though it looks alike"):
        xortune.resume(study.paths.folder, trials=4, problem=again, data=other)
    assert len(xortune.resume(study.paths.folder, trials=4, problem=again, data=table).trials) == 4
    assert "--data wine.csv" in named_again(study.settings)
    assert "--target value" in search_command(study)[0]


def said(tmp_path, **keywords):
    with pytest.raises(UsageError) as caught:
        xortune.search(trials=2, results=tmp_path / "results", **keywords)
    assert not (tmp_path / "results").exists()
    return str(caught.value)


def test_what_does_not_go_together_is_said(table, tmp_path):
    given = {"problem": problem(), "data": table}
    assert "target is missing: which column of wine.csv" in said(tmp_path, **given)
    message = said(tmp_path, **given, target="three", folds=40)
    assert "folds 40: class " in message
    assert "and each fold needs one" in message
    assert "brings no data. Add a function that returns" in said(tmp_path, problem=problem())
    message = said(tmp_path, problem=problem(), target="value")
    assert "target 'value': goes with a table. Name it, with data." in message
    own = problem(data=lambda: xortune.Split([[1.0]], [1.0], [[1.0]], [1.0]))
    message = said(tmp_path, problem=own, data=table, target="value")
    assert "target 'value': the problem brings its own data. Leave it out." in message


@pytest.mark.parametrize(("target", "loss"), [("value", "mse"), ("two", "cross_entropy")])
def test_every_fold_has_the_rows_that_xortunes_own_networks_have_there(table, target, loss):
    others = [name for name in ("value", "two", "three") if name != target]
    asked = {"data": table, "target": target, "drop": others}
    expected = load_table(**asked, folds=3)
    lesson = requested({"problem": problem(loss), **asked}, None, 3).problem.lesson
    for k, fold in enumerate(expected.folds):
        found = lesson.fold(k, 3)
        for x, y, rows in (
            (found.x, found.y, fold.training),
            (found.x_validation, found.y_validation, fold.validation),
        ):
            assert np.array_equal(x.numpy(), rows.x)
            assert np.array_equal(y.numpy(), rows.y)
    # Each is standardised by its own training rows.
    assert not np.array_equal(lesson.fold(0, 3).x[:5].numpy(), lesson.fold(1, 3).x[:5].numpy())


def test_a_search_with_folds_is_resumed_to_the_undisturbed_table(table, tmp_path):
    study = search(table, tmp_path, "value", "mse", folds=3, sampler="random")
    assert set(study.trials["replicates"]) == {3}
    named = {"problem": problem("mse", metrics={"hits:max": hits}), "data": table}
    resumed = xortune.resume(study.paths.folder, trials=5, **named)
    whole = search(table, tmp_path / "whole", "value", "mse", folds=3, total=5, sampler="random")
    assert_frame_equal(answer(resumed), answer(whole), check_exact=True)
    assert resumed.summary()["test"] == whole.summary()["test"]
    assert len(resumed.luck(0, 3, **named)) > 0


def test_a_word_that_a_fold_does_not_train_on_gives_it_fewer_inputs(tmp_path):
    words = ["u", "v"] * 20
    words[7] = "rare"
    frame = pd.DataFrame({"a": np.arange(40) % 9, "kind": words, "value": np.arange(40) % 7})
    frame.to_csv(tmp_path / "words.csv", index=False)
    asked = {"problem": problem(), "data": tmp_path / "words.csv", "target": "value"}
    lesson = requested(asked, None, 4).problem.lesson
    assert {lesson.fold(k, 4).x.shape[1] for k in range(4)} == {3, 4}
    study = xortune.search(
        **asked, folds=4, trials=2, results=tmp_path / "results", name="words", confirm="none"
    )
    assert set(study.trials["state"]) == {"COMPLETE"}
