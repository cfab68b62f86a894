"""Losses and accuracy of every lane at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xortune.problems.xor import Rows
from xortune.problems.xor.spec import LOSS_FNS

_MSE, _BCE = LOSS_FNS.index("mse"), LOSS_FNS.index("bce")


@dataclass(frozen=True)
class Measured:
    """One number a lane, each `(L,)`; the metrics of the spec.

    Attributes:
        own: the lane's own loss function.
        mse: mean squared error.
        bce: binary cross-entropy in nats, from the logits.
        accuracy: share of the rows on the right side of 0.5.
    """

    own: Tensor
    mse: Tensor
    bce: Tensor
    accuracy: Tensor


def measure(weights: Tensor, loss: Tensor, rows: Rows) -> Measured:
    """Measures lanes on some rows.

    Args:
        weights: `(9, L)`, as in `Lanes.weights`, with `L` a multiple of `ALIGN`.
        loss: `(L,)`, indices into `LOSS_FNS`.
        rows: inputs `(B, 2)` and targets `(B, 1)`.
    """
    logits = _logits(weights, rows.x)
    output, y = torch.sigmoid(logits), rows.y
    mse = _mean((output - y).square())
    # max(z, 0) - z y + log(1 + exp(-|z|)) = -y log s(z) - (1 - y) log(1 - s(z)), but never
    # the logarithm of 0.
    bce = _mean(logits.clamp_min(0) - logits * y + torch.log1p(torch.exp(-logits.abs())))
    # nn.BCELoss sees the sigmoid's output and clamps its logarithms to -100.
    hit, miss = output.log().clamp_min(-100), torch.log1p(-output).clamp_min(-100)
    bce_of_output = _mean((y - 1) * miss - y * hit)
    own = torch.where(loss == _MSE, mse, torch.where(loss == _BCE, bce_of_output, bce))
    accuracy = _mean(((output - 0.5) * (y - 0.5) > 0).float())
    return Measured(own, mse, bce, accuracy)


def _logits(weights: Tensor, x: Tensor) -> Tensor:
    v0, v1, c, d, u = weights[0:2], weights[2:4], weights[4:6], weights[6], weights[7:9]
    x0, x1 = x[:, 0, None, None], x[:, 1, None, None]
    hidden = torch.sigmoid(torch.addcmul(torch.addcmul(c, x0, v0), x1, v1))
    return torch.addcmul(torch.addcmul(d, hidden[:, 0], u[0]), hidden[:, 1], u[1])


def _mean(values: Tensor) -> Tensor:
    """The mean over the rows, `(B, L)` to `(L,)`, added in a fixed order."""
    total = values[0]
    for row in values[1:]:
        total = total + row
    return total / len(values)
