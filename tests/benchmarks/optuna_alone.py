"""Optuna alone: `study.optimize` over the lab's loop in one process, on one thread.

    python -m tests.benchmarks.optuna_alone --trials 50

Stock TPE; every trial writes its TensorBoard run, and the trials are ranked as CSV at the end.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import optuna

from tests.benchmarks.stock_sampler import StockSampler, suggest
from tests.benchmarks.stock_trial import run_trial


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--study-seed", type=int, default=0)
    options = parser.parse_args()
    study = StockSampler(options.study_seed).study

    with tempfile.TemporaryDirectory() as folder:

        def objective(trial: optuna.Trial) -> float:
            return run_trial(suggest(trial), Path(folder) / f"trial-{trial.number:05d}")

        study.optimize(objective, n_trials=options.trials)
        ranked = study.trials_dataframe().sort_values("value")
        ranked.to_csv(Path(folder) / "trials.csv")
    epochs = int(ranked["params_epochs"].sum())
    print(json.dumps({"trials": len(ranked), "epochs": epochs, "best": study.best_value}))


if __name__ == "__main__":
    main()
