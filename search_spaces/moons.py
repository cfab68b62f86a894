# Two half moons with noise, told apart by a small network.
#   python -m xortune search --problem search_spaces/moons.py --trials 20
#   python -m xortune check search_spaces/moons.py
import torch
from torch import nn

import xortune


def model(inputs: int, outputs: int, width: int = 16, activation: str = "Tanh"):
    act = getattr(nn, activation)
    hidden = [nn.Linear(inputs, width), act(), nn.Linear(width, width), act()]
    return nn.Sequential(*hidden, nn.Linear(width, outputs))


def data():
    upper, angle = torch.arange(600) % 2 == 0, 3.14 * torch.rand(600)  # alike in every process
    x = torch.where(upper, angle.cos(), 1 - angle.cos())
    y = torch.where(upper, angle.sin(), 0.5 - angle.sin())
    points = torch.stack([x, y], dim=1) + 0.15 * torch.randn(600, 2)
    rows = [*points.split(200), *upper.split(200)]  # training, validation, test
    return xortune.Split(rows[0], rows[3], rows[1], rows[4], rows[2], rows[5])


def accuracy(output, target):
    return ((output[:, 0] > 0) == (target == 1)).float().mean()


problem = xortune.Problem(
    model=model,
    data=data,
    loss="bce_with_logits",
    metrics={"accuracy": accuracy},
    space={
        "width": {"values": [8, 16, 32]},
        "lr": {"distribution": "log_uniform_values", "min": 0.001, "max": 0.1},
        "epochs": {"value": 50},
    },
)
