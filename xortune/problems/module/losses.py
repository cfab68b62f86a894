"""The losses that have a name: PyTorch's, for outputs whose shape fits the target's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor

from xortune.plain_numbers import brief

Loss = Callable[[Tensor, Tensor], Tensor]  # of output and target: a mean over rows

_IGNORED = -100  # a class that PyTorch's cross-entropy leaves out


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


def unlike_targets(name: str, output: Tensor, targets: Mapping[str, Tensor | None]) -> str:
    """Why a loss of ours cannot take some targets; empty if it can.

    Args:
        name: of the loss.
        output: of the model, for some rows.
        targets: arrays of targets by the name that a message shows; None for one that is not there.
    """
    for place, target in targets.items():
        if target is None:
            continue
        if name == "bce_with_logits" and (found := _first((target < 0) | (target > 1), target)):
            return f"{name} takes targets from 0 to 1, and {place} holds {found}"
        if name == "cross_entropy" and output.dim() > 1 and not target.is_floating_point():
            classes = output.shape[1]
            wrong = (target >= classes) | ((target < 0) & (target != _IGNORED))
            if found := _first(wrong, target):
                return (
                    f"{name}: {place} holds the class {found}, and the model has "
                    f"{classes} output{'s' * (classes > 1)}. Count classes from 0, and give the "
                    "model an output for each: its keyword outputs is how many there are"
                )
    return ""


def _first(wrong: Tensor, target: Tensor) -> str:
    """The first of the targets that are wrong, with its row; empty for none."""
    if not bool(wrong.any()):
        return ""
    place = tuple(wrong.nonzero()[0].tolist())
    return f"{brief(target[place].item())} (row {place[0]})"


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
