"""A last layer that the loss contains already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from xortune.problems.module.lesson import ModuleLesson
from xortune.problems.module.losses import LOSSES

_CONTAINED: Mapping[str, type[nn.Module]] = {
    "bce_with_logits": nn.Sigmoid,
    "cross_entropy": nn.Softmax,
}


def doubled_link(
    module: nn.Module, lesson: ModuleLesson, params: Mapping[str, Any], outputs: Tensor
) -> str:
    """What a loss of ours does once more after the last layer, in words; empty for nothing.

    Args:
        module: a trial's.
        lesson: with the losses.
        params: of the trial.
        outputs: of the module, for some rows.
    """
    *_, last = module.modules()
    for name in (lesson.loss, params.get("loss_fn", lesson.loss)):
        layer = _CONTAINED.get(name)
        if layer is None or lesson.losses[name] is not LOSSES[name] or not isinstance(last, layer):
            continue
        # It may be a layer of the middle that was made last.
        if _is_from(layer, outputs):
            return (
                f"the model ends in nn.{layer.__name__}, and the loss {name} takes logits, to "
                "which it applies that itself: leave the layer out"
            )
    return ""


def _is_from(layer: type[nn.Module], outputs: Tensor) -> bool:
    """Whether outputs are such as this layer has: from 0 to 1, or shares of 1."""
    if layer is nn.Sigmoid:
        return bool(((outputs >= 0) & (outputs <= 1)).all())
    return outputs.dim() > 1 and bool(((outputs.sum(1) - 1).abs() < 1e-3).all())
