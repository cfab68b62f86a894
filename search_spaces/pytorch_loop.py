# A small PyTorch network that learns a sine, with its loss after every epoch.
#   python -m xortune search --problem search_spaces/pytorch_loop.py --trials 10
# With --folds 4 each trial is trained on four folds; with --pruner halving the worse end early.
import torch
from torch import nn

import xortune

x = torch.linspace(-3, 3, 200).unsqueeze(1)
y = torch.sin(2 * x)


def train(config, report):
    fold, folds = config.get("fold", 0), config.get("folds", 4)  # both come with --folds
    held_out = torch.arange(len(x)) % folds == fold
    training = (~held_out).nonzero().squeeze()
    model = nn.Sequential(nn.Linear(1, config["width"]), nn.Tanh(), nn.Linear(config["width"], 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=config["lr"])
    for epoch in range(1, config["epochs"] + 1):
        for rows in training[torch.randperm(len(training))].split(30):  # seeded per training
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x[rows]), y[rows]).backward()
            optimizer.step()
        with torch.no_grad():  # With --pruner, report may end the trial here.
            report(epoch, loss=nn.functional.mse_loss(model(x[held_out]), y[held_out]))


problem = xortune.Problem(
    train,
    space={
        "lr": {"distribution": "log_uniform_values", "min": 0.001, "max": 0.1},
        "width": {"values": [8, 16, 32]},
        "epochs": {"value": 30},
    },
    cost="epochs",
)
