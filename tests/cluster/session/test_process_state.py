"""What a search changes in the process that calls it, it puts back.

In the short part, test_two_searches.py shows it of several searches.
"""

import pytest

from tests.cluster.scripts import run

# The modules are imported before: what an import leaves is not the search's.
STATE = """
import faulthandler, logging, os, resource, signal, sys, threading, warnings
from pathlib import Path

def state():
    loggers = [logging.getLogger(name) for name in (None, *logging.root.manager.loggerDict)]
    status = Path("/proc/self/status").read_text().splitlines()
    return {
        "environment": dict(os.environ),
        "loggers": {log.name: (log.level, log.propagate, list(log.handlers)) for log in loggers},
        "handlers": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "signals": [line for line in status if line.startswith(("SigCgt", "SigIgn", "SigBlk"))],
        "hooks": (sys.unraisablehook, sys.excepthook, sys.breakpointhook, threading.excepthook),
        "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "faults": faulthandler.is_enabled(),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "timer": signal.getitimer(signal.ITIMER_REAL),
    }

def changes(before, after):
    for name, old in before.items():
        new = after[name]
        if isinstance(old, dict):
            for key in {*old, *new}:
                if old.get(key) != new.get(key) and (key in old or name == "environment"):
                    yield f"{name}: {key}: {old.get(key)} became {new.get(key)}"
        elif old != new:
            yield f"{name}: {old} became {new}"
"""

ALONE = (
    STATE
    + """
import pandas, optuna, torch, ray, ray.tune, xortune.cluster.searcher

def own(number, frame):
    pass

signal.signal(signal.SIGTERM, own)
signal.signal(signal.SIGUSR1, own)
before = state()
verbosity = optuna.logging.get_verbosity()
for name in ("one", "two"):
    xortune.search("smoke", trials=4, name=name, results=sys.argv[1], runner="ray")
print(list(changes(before, state())))
print(optuna.logging.get_verbosity() == verbosity, ray.is_initialized())
"""
)

# Nothing of Ray is imported before the search does it.
THEN_TUNE = (
    STATE
    + """
import json
import xortune

before = {name: dict(os.environ) for name in ["environment"]}
xortune.search("smoke", trials=4, name="one", results=sys.argv[1], runner="ray")
print(list(changes(before, state())))

import ray
from ray import tune
from ray._private import ray_constants
from ray.tune.utils.util import warn_if_slow

print(logging.getLogger("ray").level == logging.INFO, ray_constants.RAY_DEDUP_LOGS)
print(warn_if_slow.DEFAULT_THRESHOLD)

def train(config):
    tune.report({"score": config["x"]})

ray.init(
    address="local", num_cpus=1, include_dashboard=False, log_to_driver=False,
    logging_level="WARNING",
)
tuner = tune.Tuner(
    train,
    param_space={"x": tune.grid_search([1, 2])},
    run_config=tune.RunConfig(name="own", storage_path=sys.argv[1], verbose=0),
)
tuner.fit()
ray.shutdown()
for file in sorted(Path(sys.argv[1], "own").glob("*/result.json")):
    print(json.loads(file.read_text())["score"])
"""
)

USERS_RAY = (
    STATE
    + """
import pandas, optuna, torch, ray, ray.tune, xortune.cluster.searcher
from xortune.errors import Interrupted

def strike(progress):
    if progress.done:
        os.kill(os.getpid(), signal.SIGINT)

def free():
    # The store is told of what is free; it takes a moment.
    while ray.available_resources().get("CPU") != 2:
        pass
    return True

ray.init(
    address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
    logging_level="WARNING",
)
before = state()
xortune.search("smoke", trials=4, name="one", results=sys.argv[1], runner="ray")
try:
    xortune.search(
        "smoke", trials=400, generation=10, name="two", results=sys.argv[1], runner="ray",
        on_progress=strike,
    )
except Interrupted as interruption:
    print(interruption.folder.name)
print(list(changes(before, state())))
print(ray.is_initialized(), free())
"""
)


@pytest.mark.long
def test_a_search_leaves_the_process_as_it_was(tmp_path):
    assert run(ALONE, tmp_path) == ["[]", "True False"]


@pytest.mark.long
def test_the_users_own_tune_is_as_usual_afterwards(tmp_path):
    changes, quiet, slow, *scores = run(THEN_TUNE, tmp_path)
    assert (changes, quiet, slow) == ("[]", "True True", "0.5")
    # After what Tune itself prints of its settings.
    assert scores[-2:] == ["1", "2"]


@pytest.mark.long
def test_the_users_own_ray_is_left_as_it_was_even_by_an_interrupted_search(tmp_path):
    assert run(USERS_RAY, tmp_path) == ["two", "[]", "True True"]
