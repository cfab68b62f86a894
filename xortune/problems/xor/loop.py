"""The lab's plain training loop: the reference that every engine must agree with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn, optim

from xortune.problems.xor.data import Rows, load_data
from xortune.problems.xor.model import XOR, seeded_model
from xortune.problems.xor.spec import SPEC
from xortune.trial import Curve, Scores

_LOSSES: dict[str, nn.Module] = {
    "mse": nn.MSELoss(),
    "bce": nn.BCELoss(),
    "bce_with_logits": nn.BCEWithLogitsLoss(),
}


@dataclass(frozen=True)
class Trained:
    """A model that the reference loop trained, with its curve and scores."""

    model: XOR
    curve: Curve
    scores: Scores


def train(params: Mapping[str, Any], data: str = "xor", log_every: int = 500) -> Trained:
    """Trains one trial on the CPU with autograd, `optim.SGD` and the `nn` losses.

    Args:
        params: the trial's hyperparameters, by name.
        data: the data set.
        log_every: epochs between two points of the curve, which also has the last epoch.
    """
    dataset, loss_fn, epochs = load_data(data), params["loss_fn"], params["epochs"]
    model = seeded_model(params["seed"])
    optimizer = optim.SGD(model.parameters(), lr=params["lr"])
    points: list[tuple[int, float, float]] = []

    def log(epoch: int, training_loss: float) -> None:
        with torch.inference_mode():
            validation_loss = loss_of(model, dataset.validation, loss_fn)
        points.append((epoch, training_loss, float(validation_loss)))

    for epoch in range(epochs):
        loss = loss_of(model, dataset.training, loss_fn)
        if epoch % log_every == 0:
            log(epoch, loss.item())
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
    with torch.inference_mode():
        train_loss = float(loss_of(model, dataset.training, loss_fn))
    log(epochs, train_loss)
    logged, training, validation = zip(*points)
    curve = Curve(logged, {"training": training, "validation": validation})
    return Trained(model, curve, score(model, dataset.validation, train_loss))


def loss_of(model: XOR, rows: Rows, loss_fn: str) -> Tensor:
    """The mean loss over the rows, a scalar that autograd can follow.

    `bce_with_logits` takes the output before its sigmoid, the others after it.
    """
    output = model.logits(rows.x) if loss_fn == "bce_with_logits" else model(rows.x)
    loss: Tensor = _LOSSES[loss_fn](output, rows.y)
    return loss


def score(model: XOR, rows: Rows, train_loss: float) -> Scores:
    """Measures a trained model on the validation rows.

    The cross-entropy is computed from the logits: the function of `nn.BCELoss`, without its
    clamp where the sigmoid saturates.
    """
    with torch.inference_mode():
        logits = model.logits(rows.x)
        output = torch.sigmoid(logits)
        mse = nn.functional.mse_loss(output, rows.y)
        bce = nn.functional.binary_cross_entropy_with_logits(logits, rows.y)
        accuracy = ((output - 0.5) * (rows.y - 0.5) > 0).float().mean()
        return SPEC.scores((train_loss, float(mse), float(bce), float(accuracy)))
