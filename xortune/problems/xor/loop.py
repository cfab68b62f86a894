"""The lab's plain training loop: the reference that the engine must agree with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn, optim

from xortune.problems.xor.data import Rows, load_data
from xortune.problems.xor.losses import loss_of
from xortune.problems.xor.model import XOR, seeded_model
from xortune.trial import Curve, DataName, Params, Scores


@dataclass(frozen=True)
class Trained:
    """A model that the reference loop trained, with its curve and scores."""

    model: XOR
    curve: Curve
    scores: Scores


def train(params: Params, data: DataName = "xor", log_every: int = 500) -> Trained:
    """Trains one trial on the CPU with autograd, `optim.SGD` and the `nn` losses.

    Args:
        params: the trial's hyperparameters.
        data: the data set.
        log_every: epochs between two points of the curve, which also has the last epoch.
    """
    dataset = load_data(data)
    model = seeded_model(params.seed)
    optimizer = optim.SGD(model.parameters(), lr=params.lr)
    points: list[tuple[int, float, float]] = []

    def log(epoch: int, training_loss: float) -> None:
        with torch.inference_mode():
            validation_loss = loss_of(model, dataset.validation, params.loss_fn)
        points.append((epoch, training_loss, float(validation_loss)))

    for epoch in range(params.epochs):
        loss = loss_of(model, dataset.training, params.loss_fn)
        if epoch % log_every == 0:
            log(epoch, loss.item())
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
    with torch.inference_mode():
        train_loss = float(loss_of(model, dataset.training, params.loss_fn))
    log(params.epochs, train_loss)
    epochs, training, validation = zip(*points)
    return Trained(
        model, Curve(epochs, training, validation), score(model, dataset.validation, train_loss)
    )


def score(model: XOR, rows: Rows, train_loss: float) -> Scores:
    """Measures a trained model on the validation rows.

    The cross-entropy is taken from the logits: the same function as `nn.BCELoss` of the
    output, without its clamp where the sigmoid saturates.
    """
    with torch.inference_mode():
        logits = model.logits(rows.x)
        output = torch.sigmoid(logits)
        return Scores(
            train_loss=train_loss,
            mse=float(nn.functional.mse_loss(output, rows.y)),
            bce=float(nn.functional.binary_cross_entropy_with_logits(logits, rows.y)),
            accuracy=float(((output - 0.5) * (rows.y - 0.5) > 0).float().mean()),
        )
