"""Stock Ray Tune with its OptunaSearch, one trial a Tune trial: the best of the usual way.

    python -m tests.benchmarks.stock_tune --trials 50

Actors are reused, one a CPU, each on one thread; Tune's own loggers are off and nothing is
reported before a trial's end. Every trial trains with the lab's loop and writes its own
TensorBoard run. The driver never imports PyTorch. At the end the trials are ranked and written
as CSV, and a line of JSON says how many trials and epochs were trained, and the best loss.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.floor import start_ray


def space() -> dict[str, Any]:
    """The default space in Tune's terms, whose integers have an exclusive upper bound."""
    from ray import tune

    return {
        "lr": tune.loguniform(0.01, 10.0),
        "epochs": tune.lograndint(500, 10_001),
        "seed": tune.randint(0, 10_000),
        "loss_fn": tune.choice(["mse", "bce", "bce_with_logits"]),
    }


def make_trainable(runs: Path) -> Any:
    """The trainable, which trains one trial in one step and writes its run into `runs`."""
    from ray import tune

    class LabTrial(tune.Trainable):
        def setup(self, config: dict[str, Any]) -> None:
            from tests.benchmarks.stock_trial import run_trial

            self._run_trial = run_trial

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            return True

        def step(self) -> dict[str, Any]:
            final_loss = self._run_trial(self.config, runs / self.trial_id)
            return {"final_loss": final_loss, "done": True}

    return LabTrial


def tuned(
    trainable: Any, space: Any, metric: str, trials: int, folder: str, study_seed: int = 0
) -> Any:
    """The results of a search for the lowest metric, a CPU for each trial.

    Args:
        trainable: a class or a function, as Tune takes it.
        space: in Tune's terms.
        metric: the name of what is minimised.
        trials: how many.
        folder: for what Tune writes.
        study_seed: of the sampler.
    """
    import ray
    from ray import tune
    from ray.tune.search.optuna import OptunaSearch

    results = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(
            metric=metric,
            mode="min",
            search_alg=OptunaSearch(seed=study_seed),
            num_samples=trials,
            max_concurrent_trials=int(ray.cluster_resources()["CPU"]),
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="stock",
            storage_path=folder,
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    ).fit()
    if results.errors:
        raise results.errors[0]
    return results


def rest_s(results: Any, first: int) -> float:
    """Seconds from the end of the first trials, and of what they import, to that of the last.

    Args:
        results: of trials that return the time of their end as `ended`.
        first: how many of them.
    """
    ends = sorted(result.metrics["ended"] for result in results)
    return float(ends[-1] - ends[first - 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--study-seed", type=int, default=0)
    options = parser.parse_args()
    start_ray()
    import pandas as pd

    with tempfile.TemporaryDirectory() as folder:
        trainable = make_trainable(Path(folder) / "runs")
        results = tuned(
            trainable, space(), "final_loss", options.trials, folder, options.study_seed
        )
        # The results' own get_dataframe() needs the loggers' files.
        rows = [{**r.config, "final_loss": r.metrics["final_loss"]} for r in results]
        ranked = pd.DataFrame(rows).sort_values("final_loss")
        ranked.to_csv(Path(folder) / "trials.csv")
        summary = {
            "trials": len(ranked),
            "runs": len(list((Path(folder) / "runs").iterdir())),
            "epochs": int(ranked["epochs"].sum()),
            "best": float(ranked["final_loss"].iloc[0]),
        }
        print(json.dumps(summary))


if __name__ == "__main__":
    main()
