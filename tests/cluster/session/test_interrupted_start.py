"""Ctrl-C while Ray is imported or started, as in a notebook, whose process then goes on."""

import pytest

from tests.cluster.scripts import run

SCRIPT = """
import os, signal, sys, threading, time
import xortune
from xortune.errors import Interrupted

results, moment = sys.argv[1:]
begun = {
    "import": lambda: "ray" in sys.modules,
    "late import": lambda: "ray._private.worker" in sys.modules,
    "start": lambda: "ray.tune" in sys.modules,
}[moment]
caught = []

def strike():
    while not begun():
        time.sleep(0.001)
    caught.append("ray.tune" in sys.modules and not hasattr(sys.modules["ray"], "init"))
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=strike, daemon=True).start()
try:
    xortune.search("smoke", trials=4, name="cut", results=results, runner="ray")
except KeyboardInterrupt as interruption:
    print(type(interruption).__name__)
print(os.path.exists(results + "/cut"))
study = xortune.search("smoke", trials=4, name="again", results=results, runner="ray")
print(len(study.trials))

import ray
print(ray.is_initialized())
"""
ENDS = """
import os, signal, sys, threading, time
import xortune

def strike():
    while "ray._private.worker" not in sys.modules:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=strike, daemon=True).start()
try:
    xortune.search("smoke", trials=4, name="cut", results=sys.argv[1], runner="ray")
except KeyboardInterrupt as interruption:
    print("interrupted")
"""


@pytest.mark.parametrize(
    "moment",
    [
        "import",
        pytest.param("late import", marks=pytest.mark.long),
        pytest.param("start", marks=pytest.mark.long),
    ],
)
def test_after_ctrl_c_while_ray_starts_the_process_can_search_again(tmp_path, moment):
    assert run(SCRIPT, tmp_path, moment) == ["Interrupted", "False", "4", "False"]


@pytest.mark.long
def test_a_process_that_ends_after_an_interrupted_start_ends_well(tmp_path):
    assert run(ENDS, tmp_path) == ["interrupted"]
