"""Stock Ray Tune with its OptunaSearch over the two moons, one trial a Tune trial.

    python -m tests.benchmarks.stock_moons_tune --trials 20

The model, its rows and its loss are those of `search_spaces/moons.py`, in a plain PyTorch loop with
a fused Adam. A worker makes the rows once. Nothing is written for a trial.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from typing import Any

from tests.benchmarks.core import CPUS, ROOT
from tests.benchmarks.floor import start_ray
from tests.benchmarks.stock_tune import rest_s, tuned

BATCH, EPOCHS = 32, 50


def make_trainable() -> Any:
    """The trainable, which trains one trial in one step."""
    from ray import tune

    class MoonsTrial(tune.Trainable):
        def setup(self, config: dict[str, Any]) -> None:
            import runpy

            import torch

            torch.manual_seed(0)
            self._moons = runpy.run_path(str(ROOT / "search_spaces" / "moons.py"))
            self._split = self._moons["data"]()

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            return True

        def step(self) -> dict[str, Any]:
            final_loss = trained(self._moons, self._split, **self.config)
            return {"final_loss": final_loss, "ended": time.time(), "done": True}

    return MoonsTrial


def trained(moons: Any, split: Any, width: int, lr: float) -> float:
    """The validation loss of the best epoch."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as loss_of

    torch.manual_seed(0)
    model = moons["model"](2, 1, width)
    optimizer = torch.optim.Adam(model.parameters(), lr, fused=True)
    x, y = split.x, split.y.float()[:, None]
    x_validation, y_validation = split.x_validation, split.y_validation.float()[:, None]
    losses = []
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss_of(model(x[batch]), y[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            losses.append(loss_of(model(x_validation), y_validation).item())
    return min(losses)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=20)
    options = parser.parse_args()
    start_ray()
    from ray import tune

    space = {
        "width": tune.choice([8, 16, 32]),
        "lr": tune.loguniform(0.001, 0.1),
    }
    with tempfile.TemporaryDirectory() as folder:
        results = tuned(make_trainable(), space, "final_loss", options.trials, folder)
        best = results.get_best_result("final_loss", "min").metrics["final_loss"]
        summary = {"trials": len(results), "best": best, "rest_s": rest_s(results, CPUS)}
        print(json.dumps(summary))


if __name__ == "__main__":
    main()
