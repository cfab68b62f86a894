"""A model's trained numbers as one vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def joined(parts: Sequence[nn.Parameter]) -> tuple[nn.Parameter, Tensor]:
    """All parameters as one vector, and its gradient; they become views of these.

    Autograd adds to a gradient in place, so an optimizer of the vector trains the model, in one
    step of arithmetic instead of one for each array.
    """
    flat = nn.Parameter(torch.cat([part.detach().flatten() for part in parts]))
    flat.grad = gradient = torch.zeros_like(flat)
    start = 0
    for part in parts:
        place = slice(start, start + part.numel())
        part.data = flat.data[place].view_as(part)
        part.grad = gradient[place].view_as(part)
        start = place.stop
    return flat, gradient
