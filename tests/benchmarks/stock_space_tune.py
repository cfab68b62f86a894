"""Stock Ray Tune with its OptunaSearch over a table and its default space, one trial a Tune trial.

    python -m tests.benchmarks.stock_space_tune TABLE.csv --trials 50

The space is that of `search_spaces/table.yaml` with 20 epochs; the training is a plain PyTorch
loop with fused optimizers, and without a DataLoader. A worker reads and prepares the table once.
Nothing is written for a trial.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.core import CPUS
from tests.benchmarks.floor import start_ray
from tests.benchmarks.stock_table_tune import prepared
from tests.benchmarks.stock_tune import rest_s, tuned

EPOCHS, PATIENCE = 20, 15


def tune_space() -> dict[str, Any]:
    """The default space in Tune's terms, whose integers have an exclusive upper bound."""
    from ray import tune

    return {
        "width": tune.lograndint(16, 129),
        "depth": tune.randint(1, 3),
        "activation": tune.choice(["relu", "tanh", "gelu", "silu"]),
        "dropout": tune.uniform(0.0, 0.5),
        "lr": tune.loguniform(3e-4, 5e-3),
        "batch_size": tune.choice([32, 64]),
        "seed": tune.randint(0, 10_000),
        "optimizer": tune.choice(["adam", "adamw"]),
        "weight_decay": tune.loguniform(1e-4, 0.1),
        "schedule": tune.choice(["constant", "cosine"]),
    }


def make_trainable(table: Path) -> Any:
    """The trainable, which trains one trial in one step."""
    from ray import tune

    class TableTrial(tune.Trainable):
        def setup(self, config: dict[str, Any]) -> None:
            self._rows = prepared(table)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            return True

        def step(self) -> dict[str, Any]:
            final_loss = trained(self._rows, self.config)
            return {"final_loss": final_loss, "ended": time.time(), "done": True}

    return TableTrial


def network(inputs: int, config: Mapping[str, Any]) -> Any:
    """The model of a trial, with its seed."""
    import torch
    from torch import nn

    torch.manual_seed(config["seed"])
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU}
    layers: list[nn.Module] = []
    for place in range(config["depth"]):
        before = config["width"] if place else inputs
        layers += [nn.Linear(before, config["width"]), activation[config["activation"]]()]
        layers.append(nn.Dropout(config["dropout"]))
    return nn.Sequential(*layers, nn.Linear(config["width"], 1))


def trained(rows: Any, config: Mapping[str, Any]) -> float:
    """The validation loss of the best epoch."""
    import torch
    from torch import nn

    x, y, x_validation, y_validation = rows
    model, loss_fn = network(x.shape[1], config), nn.MSELoss()
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    decay, batch = config["weight_decay"], config["batch_size"]
    make = kinds[config["optimizer"]]
    optimizer = make(model.parameters(), config["lr"], weight_decay=decay, fused=True)
    losses: list[float] = []
    for epoch in range(EPOCHS):
        if config["schedule"] == "cosine":
            share = (1 + math.cos(math.pi * epoch / EPOCHS)) / 2
            optimizer.param_groups[0]["lr"] = config["lr"] * share
        model.train()
        order = torch.randperm(len(x))
        for inputs, targets in zip(x[order].split(batch), y[order].split(batch)):
            optimizer.zero_grad()
            loss_fn(model(inputs), targets).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            losses.append(loss_fn(model(x_validation), y_validation).item())
        if epoch - losses.index(min(losses)) >= PATIENCE:
            break
    return min(losses)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--trials", type=int, default=50)
    options = parser.parse_args()
    start_ray()

    trainable = make_trainable(options.table.absolute())
    with tempfile.TemporaryDirectory() as folder:
        results = tuned(trainable, tune_space(), "final_loss", options.trials, folder)
        best = results.get_best_result("final_loss", "min").metrics["final_loss"]
        summary = {"trials": len(results), "best": best, "rest_s": rest_s(results, CPUS)}
        print(json.dumps(summary))


if __name__ == "__main__":
    main()
