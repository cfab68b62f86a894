"""An MLP trained in plain PyTorch, written for speed: no DataLoader, fused Adam, one thread.

    python -m tests.benchmarks.stock_mlp_loop 8 32 32 1

Sizes of the layers; one output is a number to predict, more are classes.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tests.benchmarks.made_table import made_rows

LR, BATCH, EPOCHS = 1e-3, 32, 20


def network(sizes: Sequence[int], seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def trained(x: Tensor, y: Tensor, sizes: Sequence[int], seed: int, epochs: int = EPOCHS) -> float:
    """Trains a network on rows in an order drawn anew for every epoch; returns its final loss."""
    model = network(sizes, seed)
    loss_fn = nn.MSELoss() if sizes[-1] == 1 else nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), LR, fused=True)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for inputs, targets in zip(x[order].split(BATCH), y[order].split(BATCH)):
            optimizer.zero_grad()
            loss_fn(model(inputs), targets).backward()
            optimizer.step()
    with torch.no_grad():
        return float(loss_fn(model(x), y))


def main() -> None:
    torch.set_num_threads(1)
    sizes = [*map(int, sys.argv[1:])]
    x, y = map(torch.from_numpy, made_rows(1000, sizes[0], sizes[-1]))
    trained(x, y, sizes, 0, 1)
    started = time.perf_counter()
    loss = trained(x, y, sizes, 0)
    seconds = (time.perf_counter() - started) / EPOCHS
    print(json.dumps({"loss": loss, "seconds of an epoch": seconds}))


if __name__ == "__main__":
    main()
