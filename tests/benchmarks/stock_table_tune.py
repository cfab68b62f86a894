"""Stock Ray Tune with its OptunaSearch over a table, one trial a Tune trial.

    python -m tests.benchmarks.stock_table_tune TABLE.csv --trials 20

The model and its training are those of `made_table.yaml`, in a plain PyTorch loop. A worker reads
and prepares the table once. Nothing is written for a trial.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.core import CPUS
from tests.benchmarks.floor import start_ray
from tests.benchmarks.stock_tune import rest_s, tuned

WIDTH, BATCH, EPOCHS = 32, 32, 20


def make_trainable(table: Path) -> Any:
    """The trainable, which trains one trial in one step."""
    from ray import tune

    class TableTrial(tune.Trainable):
        def setup(self, config: dict[str, Any]) -> None:
            self._rows = prepared(table)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            return True

        def step(self) -> dict[str, Any]:
            final_loss = trained(self._rows, self.config["lr"], self.config["seed"])
            return {"final_loss": final_loss, "ended": time.time(), "done": True}

    return TableTrial


def prepared(path: Path) -> Any:
    """Training and validation rows, 60 and 20 of 100, standardised: x, y, x, y as tensors."""
    import pandas
    import torch

    table = torch.tensor(pandas.read_csv(path).to_numpy(), dtype=torch.float32)
    table = table[torch.randperm(len(table), generator=torch.Generator().manual_seed(0))]
    training, validation = table.split([len(table) * 3 // 5, len(table) - len(table) * 3 // 5])
    mean, scale = training.mean(dim=0), training.std(dim=0)
    parts = [(part - mean) / scale for part in (training, validation[: len(validation) // 2])]
    return [tensor for part in parts for tensor in (part[:, :-1], part[:, -1:])]


def trained(rows: Any, lr: float, seed: int) -> float:
    """The validation loss of the best epoch."""
    import torch
    from torch import nn

    x, y, x_validation, y_validation = rows
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(x.shape[1], WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(),
        nn.Linear(WIDTH, 1),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr)
    loss_fn = nn.MSELoss()
    losses = []
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss_fn(model(x[batch]), y[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            losses.append(loss_fn(model(x_validation), y_validation).item())
    return min(losses)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--trials", type=int, default=20)
    options = parser.parse_args()
    start_ray()
    from ray import tune

    # Tune's integers have an exclusive upper bound.
    space = {"lr": tune.loguniform(1e-4, 0.1), "seed": tune.randint(0, 10_000)}
    trainable = make_trainable(options.table.absolute())
    with tempfile.TemporaryDirectory() as folder:
        results = tuned(trainable, space, "final_loss", options.trials, folder)
        best = results.get_best_result("final_loss", "min").metrics["final_loss"]
        summary = {"trials": len(results), "best": best, "rest_s": rest_s(results, CPUS)}
        print(json.dumps(summary))


if __name__ == "__main__":
    main()
