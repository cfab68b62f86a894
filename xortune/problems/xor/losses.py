"""The three loss functions, as the lab uses them."""

from __future__ import annotations

from torch import Tensor, nn

from xortune.problems.xor.data import Rows
from xortune.problems.xor.model import XOR

_MODULES: dict[str, nn.Module] = {
    "mse": nn.MSELoss(),
    "bce": nn.BCELoss(),
    "bce_with_logits": nn.BCEWithLogitsLoss(),
}


def loss_of(model: XOR, rows: Rows, loss_fn: str) -> Tensor:
    """The mean loss over the rows, a scalar that autograd can follow.

    `bce_with_logits` is given the value before the output sigmoid; the others the
    sigmoid's output.
    """
    output = model.logits(rows.x) if loss_fn == "bce_with_logits" else model(rows.x)
    loss: Tensor = _MODULES[loss_fn](output, rows.y)
    return loss
