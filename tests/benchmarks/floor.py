"""The floor: what starting Ray and running one Tune trial that imports PyTorch costs.

    python -m tests.benchmarks.floor

What a user of Ray Tune and PyTorch pays for a search of nothing, Tune's own tidying up included.
"""

from __future__ import annotations

import os
import tempfile

# Read by Ray when it is imported: no loggers, which write three files for every trial, and
# nothing that is of no use to a benchmark.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    "TUNE_WARN_THRESHOLD_S": "1000000",
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",
}


def start_ray() -> None:
    """A local Ray as lean as its options make it."""
    os.environ.update(ENVIRONMENT)
    import ray

    ray.init(
        address="local",  # also where somebody else's Ray is running
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=200_000_000,
    )


def trial(config: dict[str, object]) -> dict[str, float]:
    import torch

    return {"loss": float(torch.zeros(()))}


def main() -> None:
    start_ray()
    from ray import tune

    with tempfile.TemporaryDirectory() as storage:
        run_config = tune.RunConfig(storage_path=storage, verbose=0)
        results = tune.Tuner(trial, run_config=run_config).fit()
        if results.errors:
            raise results.errors[0]


if __name__ == "__main__":
    main()
