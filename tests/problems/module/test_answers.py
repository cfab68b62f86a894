"""What a module's outputs say: classes and values where the loss tells, otherwise the outputs."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax

from tests.problems.table.test_pictures import frame
from xortune.problems.module.answers import answers_of
from xortune.problems.table.problem import TableProblem
from xortune.problems.table.table import load_table

THREE = np.array([[0.5, 2.0, -1.0], [3.0, 0.0, 1.0]], np.float32)
ONE = np.array([[-0.5], [2.0]], np.float32)


def own(output, target):
    return (output - target).mean()


def of_table(task):
    """The problem of a table of that task."""
    return TableProblem(load_table(frame(task), target="y").recipe, "one.csv")


def columns(found):
    return {name: found[name].tolist() for name in found}


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_a_loss_of_numbers_has_a_value_a_row(loss):
    for outputs in (ONE, ONE[:, 0]):
        assert columns(answers_of(outputs, loss, None, None)) == {"prediction": [-0.5, 2.0]}
    assert list(answers_of(THREE, loss, None, None)) == ["output_0", "output_1", "output_2"]


def test_classes_have_the_largest_and_their_probabilities():
    found = answers_of(THREE, "cross_entropy", None, ["a", "b"])
    assert list(found.columns) == ["prediction", "p_0", "p_1", "p_2"]
    assert list(found.index) == ["a", "b"]
    assert found["prediction"].tolist() == [1, 0]
    assert found[["p_0", "p_1", "p_2"]].to_numpy() == pytest.approx(softmax(THREE, 1), abs=1e-6)
    assert columns(answers_of(ONE, "cross_entropy", None, None))["p_0"] == [1.0, 1.0]


def test_one_logit_has_two_classes():
    found = answers_of(ONE, "bce_with_logits", None, None)
    assert found["prediction"].tolist() == [0, 1]
    assert found["p_1"].to_numpy() == pytest.approx(expit(ONE[:, 0]), abs=1e-6)


@pytest.mark.parametrize("loss", [own, "bce_with_logits"])
def test_other_outputs_stay_as_they_are(loss):
    assert columns(answers_of(THREE, loss, None, None))["output_1"] == [2.0, 0.0]
    deep = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    assert columns(answers_of(deep, "cross_entropy", None, None))["output_5"] == [5.0, 11.0]


def test_values_of_a_table_are_in_the_target_s_own_units():
    table = of_table("regression")
    found = answers_of(ONE, "huber", table, None)
    expected = ONE[:, 0].astype(float) * table.target.scale + table.target.mean
    assert found["prediction"].tolist() == expected.tolist()
    assert list(answers_of(ONE, own, table, None)) == ["output_0"]
    assert list(answers_of(THREE, "mse", table, None)) == ["output_0", "output_1", "output_2"]


def test_classes_of_a_table_have_their_names():
    table = of_table("classes")
    names = table.target.classes
    found = answers_of(THREE, "cross_entropy", table, None)
    assert found["prediction"].tolist() == [names[1], names[0]]
    assert list(found.columns) == ["prediction", *(f"p_{name}" for name in names)]


def test_two_classes_of_a_table_come_from_one_logit_or_two():
    table = of_table("binary")
    one = answers_of(ONE, "bce_with_logits", table, None)
    two = answers_of(np.hstack((ONE * 0 + 1, ONE + 1)), "cross_entropy", table, None)
    pd.testing.assert_frame_equal(one, two)
    assert one["prediction"].tolist() == list(table.target.classes)
    assert list(answers_of(ONE, "mse", table, None)) == ["output_0"]
