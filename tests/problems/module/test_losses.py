"""The losses that have a name, on outputs and targets of one shape or of two."""

import pytest
import torch
import torch.nn.functional as F

from xortune.problems.module.declared import LOSS_NAMES
from xortune.problems.module.losses import LOSSES

OUTPUT = torch.linspace(-2, 2, 12).reshape(4, 3)


def test_the_names_are_those_that_problems_may_name():
    assert tuple(LOSSES) == LOSS_NAMES


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("mse", F.mse_loss),
        ("mae", F.l1_loss),
        ("huber", F.huber_loss),
        ("bce_with_logits", F.binary_cross_entropy_with_logits),
    ],
)
@pytest.mark.parametrize("columns", [(False, False), (True, False), (False, True)])
def test_a_column_of_one_number_is_like_none(name, theirs, columns):
    output, target = OUTPUT[:, 0], torch.tensor([0, 1, 1, 0])
    given = [one.unsqueeze(1) if column else one for one, column in zip((output, target), columns)]
    assert torch.equal(LOSSES[name](*given), theirs(output, target.float()))


def test_classes_may_be_numbers_a_column_or_shares():
    classes = torch.tensor([0, 2, 1, 1])
    expected = F.cross_entropy(OUTPUT, classes)
    assert torch.equal(LOSSES["cross_entropy"](OUTPUT, classes), expected)
    assert torch.equal(LOSSES["cross_entropy"](OUTPUT, classes[:, None]), expected)
    shares = F.one_hot(classes, 3).float()
    assert torch.allclose(LOSSES["cross_entropy"](OUTPUT, shares), expected)


def test_other_shapes_are_refused_where_pytorch_would_compare_each_row_with_each():
    with pytest.raises(ValueError, match=r"output has the shape \(4, 3\), the target \(4,\)"):
        LOSSES["mse"](OUTPUT, torch.zeros(4))
    with pytest.raises(ValueError, match="classes as whole numbers, and the target holds fract"):
        LOSSES["cross_entropy"](OUTPUT, torch.zeros(4))
    with pytest.raises(ValueError, match="cross_entropy takes outputs of a row and a column"):
        LOSSES["cross_entropy"](OUTPUT[:, 0], torch.zeros(4, dtype=torch.int64))
