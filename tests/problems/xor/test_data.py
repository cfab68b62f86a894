import pytest
import torch

from xortune.problems.xor.data import load_data
from xortune.problems.xor.spec import DATA_NAMES

INPUTS = [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]


def test_xor_is_the_truth_table():
    rows = load_data("xor").training
    assert rows.x.tolist() == INPUTS
    assert rows.y.flatten().tolist() == [float(int(a) ^ int(b)) for a, b in INPUTS]


def test_lab_has_the_lab_s_labels_which_are_the_second_input():
    rows = load_data("lab").training
    assert rows.x.tolist() == INPUTS
    assert rows.y.flatten().tolist() == [0.0, 1.0, 1.0, 0.0]
    assert torch.equal(rows.y[:, 0], rows.x[:, 1])


@pytest.mark.parametrize("name", DATA_NAMES)
def test_shapes_and_type(name):
    data = load_data(name)
    for rows in (data.training, data.validation):
        assert (rows.x.shape, rows.y.shape) == ((4, 2), (4, 1))
        assert (rows.x.dtype, rows.y.dtype) == (torch.float32, torch.float32)


@pytest.mark.parametrize("name", DATA_NAMES)
def test_validation_is_a_copy_of_training(name):
    data = load_data(name)
    assert torch.equal(data.training.x, data.validation.x)
    assert torch.equal(data.training.y, data.validation.y)
    data.training.x.fill_(9)
    data.training.y.fill_(9)
    assert data.validation.x.tolist() == INPUTS
    assert data.validation.y.max() == 1


@pytest.mark.parametrize("name", DATA_NAMES)
def test_every_load_is_fresh(name):
    load_data(name).training.y.fill_(9)
    assert load_data(name).training.y.max() == 1
