"""The lab's loop, as a good user would write it for one trial after the other.

Autograd, `optim.SGD` and the losses of `torch.nn`, on one thread: more threads make a network
of nine weights slower. The variants of the optimiser (`foreach`, `fused`) do not make it faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn, optim

from xortune.problems.xor.data import load_data
from xortune.problems.xor.model import XOR

LOG_EVERY = 500
_LOSSES = {"mse": nn.MSELoss(), "bce": nn.BCELoss(), "bce_with_logits": nn.BCEWithLogitsLoss()}


@dataclass(frozen=True)
class Trained:
    """A trained model, its loss at some epochs, and how good it is.

    Attributes:
        model: the model.
        curve: epoch, training loss and validation loss.
        final_loss: mean squared error on the validation data.
    """

    model: XOR
    curve: list[tuple[int, float, float]]
    final_loss: float


def train(params: Mapping[str, Any], log_every: int = LOG_EVERY) -> Trained:
    """Trains one trial on true XOR; a `log_every` of 0 takes no curve."""
    torch.set_num_threads(1)
    data = load_data("xor")
    x, y, validation = data.training.x, data.training.y, data.validation
    torch.manual_seed(params["seed"])
    model = XOR(2, 1)
    output = model.logits if params["loss_fn"] == "bce_with_logits" else model
    criterion = _LOSSES[params["loss_fn"]]
    optimizer = optim.SGD(model.parameters(), lr=params["lr"])
    curve = []
    for epoch in range(params["epochs"]):
        loss = criterion(output(x), y)
        if log_every and epoch % log_every == 0:
            with torch.no_grad():
                validation_loss = criterion(output(validation.x), validation.y)
            curve.append((epoch, loss.item(), validation_loss.item()))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        last = float(criterion(output(x), y)), float(criterion(output(validation.x), validation.y))
        final_loss = float(nn.functional.mse_loss(model(validation.x), validation.y))
    return Trained(model, [*curve, (params["epochs"], *last)], final_loss)
