"""A search on a Ray of its own, one of whose trials takes its worker's memory.

    python search_short_of_memory.py PLAN RESULTS EATS [CGROUP]

PLAN and RESULTS are folders, EATS is in bytes, and CGROUP is the folder of a control group to
run in.
"""

import logging
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

CULPRIT = 5


def main(plan_folder: str, results: str, eats: str, *groups: str) -> None:
    for group in groups:
        Path(group, "cgroup.procs").write_text(str(os.getpid()))
    import ray
    from ray import cloudpickle

    import xortune
    from tests.faults.workers import worker_faults
    from tests.small_study import SETTINGS, SPACE

    logging.basicConfig(format="%(message)s")
    cloudpickle.register_pickle_by_value(worker_faults)
    plan = worker_faults.Plan(Path(plan_folder))
    plan.write({"moment": "before training", "trials": [CULPRIT], "eats": int(eats), "times": 1000})
    ray.init(
        address="local",
        num_cpus=1,
        include_dashboard=False,
        object_store_memory=100_000_000,
        log_to_driver=False,
        logging_level="CRITICAL",
        runtime_env={"worker_process_setup_hook": worker_faults.arming(Path(plan_folder))},
    )
    study = xortune.search(
        SPACE, name="s", results=results, runner="ray", pack_size=1, retries=0, **SETTINGS
    )
    trials = study.trials.set_index("number")
    print(trials.loc[CULPRIT, "error"])
    print(f"{sum(trials['error'].notna())} errors")


if __name__ == "__main__":
    main(*sys.argv[1:])
