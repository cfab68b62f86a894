"""Stock Ray Tune with its OptunaSearch over the function of `one_ms.py`, one trial a Tune trial.

python -m tests.benchmarks.stock_function_tune --trials 60
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from typing import Any

from tests.benchmarks.core import CPUS
from tests.benchmarks.floor import start_ray
from tests.benchmarks.stock_tune import rest_s, tuned


def trainable(config: dict[str, Any]) -> dict[str, float]:
    from tests.benchmarks.one_ms import busy_value

    return {"loss": busy_value(config["x"], config["y"]), "ended": time.time()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=60)
    options = parser.parse_args()
    start_ray()
    from ray import tune

    space = {"x": tune.uniform(-2.0, 2.0), "y": tune.uniform(-1.0, 3.0)}
    with tempfile.TemporaryDirectory() as folder:
        results = tuned(trainable, space, "loss", options.trials, folder)
        best = results.get_best_result("loss", "min").metrics["loss"]
        summary = {"trials": len(results), "best": best, "rest_s": rest_s(results, CPUS)}
        print(json.dumps(summary))


if __name__ == "__main__":
    main()
