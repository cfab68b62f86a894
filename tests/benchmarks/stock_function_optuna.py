"""Optuna alone over the function of `one_ms.py`: `study.optimize` in one process.

    python -m tests.benchmarks.stock_function_optuna --trials 1000

Stock TPE; nothing is written, and the study is kept in memory only.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

import optuna

from tests.benchmarks.one_ms import busy_value


def suggest(trial: optuna.Trial) -> tuple[float, float]:
    return trial.suggest_float("x", -2.0, 2.0), trial.suggest_float("y", -1.0, 3.0)


def optimised(objective: Callable[[optuna.Trial], float], trials: int) -> optuna.Study:
    """A study of stock TPE over an objective."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=trials)
    return study


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    options = parser.parse_args()
    study = optimised(lambda trial: busy_value(*suggest(trial)), options.trials)
    print(json.dumps({"trials": len(study.trials), "best": study.best_value}))


if __name__ == "__main__":
    main()
