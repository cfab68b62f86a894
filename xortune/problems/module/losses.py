"""The losses that have a name: PyTorch's, for outputs whose shape fits the target's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]  # of output and target: a mean over rows


def mse(output: Tensor, target: Tensor) -> Tensor:
    """The mean of squared errors."""
    return F.mse_loss(*_alike("mse", output, target))


def mae(output: Tensor, target: Tensor) -> Tensor:
    """The mean of absolute errors."""
    return F.l1_loss(*_alike("mae", output, target))


def huber(output: Tensor, target: Tensor) -> Tensor:
    """Huber's loss with delta 1: squares of small errors, and large ones as they are."""
    return F.huber_loss(*_alike("huber", output, target))


def bce_with_logits(output: Tensor, target: Tensor) -> Tensor:
    """The cross-entropy of logits and targets from 0 to 1."""
    return F.binary_cross_entropy_with_logits(*_alike("bce_with_logits", output, target))


def cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """The cross-entropy of logits, `(B, classes)`, and classes, `(B,)`, or their shares."""
    if output.dim() < 2:
        raise ValueError(
            f"cross_entropy takes outputs of a row and a column for each class, and the model's "
            f"have the shape {tuple(output.shape)}"
        )
    if not target.is_floating_point() and target.dim() == output.dim() and target.shape[1:] == (1,):
        target = target.squeeze(1)
    if target.is_floating_point() and target.shape != output.shape:
        raise ValueError(
            "cross_entropy takes classes as whole numbers, and the target holds fractions"
        )
    return F.cross_entropy(output, target)


LOSSES: Mapping[str, Loss] = {
    "mse": mse,
    "mae": mae,
    "huber": huber,
    "bce_with_logits": bce_with_logits,
    "cross_entropy": cross_entropy,
}


def _alike(name: str, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Output and target of one shape: columns of one number count as none.

    Of other shapes PyTorch would compare each row with each, and hardly say so.
    """
    if output.shape != target.shape:
        if output.dim() == target.dim() + 1 and output.shape[-1] == 1:
            output = output.squeeze(-1)
        elif target.dim() == output.dim() + 1 and target.shape[-1] == 1:
            target = target.squeeze(-1)
    if output.shape != target.shape:
        raise ValueError(
            f"{name} compares numbers one by one, and the model's output has the shape "
            f"{tuple(output.shape)}, the target {tuple(target.shape)}"
        )
    return output, target.to(output.dtype)
