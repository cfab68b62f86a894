# Sequences of noise and a wave, read by a GRU: how fast is the wave?
#   python -m xortune search --problem search_spaces/sequences.py --trials 4
import torch
from torch import nn

import xortune


class Reader(nn.Module):
    def __init__(self, inputs, outputs: int, width: int = 8):
        super().__init__()
        self.reads = nn.GRU(inputs[1], width, batch_first=True)  # inputs: steps, and their size
        self.answers = nn.Linear(width, outputs)

    def forward(self, x):
        states, _ = self.reads(x)
        return self.answers(states[:, -1])


def data():
    steps = torch.arange(20.0)
    speed = 0.2 + torch.rand(480)  # drawn alike in every process
    waves = torch.sin(speed[:, None] * steps + 6.3 * torch.rand(480, 1))
    x = (waves + 0.1 * torch.randn(480, 20))[:, :, None]
    return xortune.Split(x[:240], speed[:240], x[240:360], speed[240:360], x[360:], speed[360:])


problem = xortune.Problem(
    model=Reader,
    data=data,
    loss=["mse", "mae"],
    space={
        "width": {"values": [4, 8, 16]},
        "lr": {"distribution": "log_uniform_values", "min": 0.003, "max": 0.1},
        "loss_fn": {"values": ["mse", "mae"]},
        "early_stopping": {"value": 5},
        "epochs": {"value": 30},
    },
)
