"""The driver of a search on Ray, killed in the middle, and resumed."""

import re
import signal
import subprocess
import sys

import pytest
import yaml
from pandas.testing import assert_frame_equal

import xortune
from tests.small_study import SPACE, answer

# Packs of one trial, of a third of a second or more each: there is always one under way.
SLOW = {**SPACE, "lr": {"values": [0.1, 1.0, 10.0]}, "epochs": {"value": 6_000_000}}
RECORDED = {"trials": 12, "generation": 6, "log_every": 2_000_000}
SETTINGS = [f"--{name.replace('_', '-')}={value}" for name, value in RECORDED.items()]
SETTINGS += ["--pack-size", "1", "--runner", "ray"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    results = tmp_path_factory.mktemp("whole")
    return xortune.search(SLOW, runner="inline", name="whole", results=results, **RECORDED)


@pytest.fixture
def space_file(tmp_path):
    path = tmp_path / "slow.yaml"
    path.write_text(yaml.safe_dump({"parameters": SLOW}))
    return path


def kill_in_the_middle(space_file, results):
    """Starts a search, kills it as soon as some trials are done."""
    command = [sys.executable, "-m", "xortune", "search", str(space_file), *SETTINGS]
    command += ["--name", "stopped", "--results", str(results)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        lines = []
        for line in process.stderr:
            lines.append(line)
            done = re.match(r"(\d+)/12 trials", line)
            if done and 0 < int(done[1]) < 12:
                process.kill()
                break
        else:
            pytest.fail("never in the middle: " + "".join(lines))
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_a_killed_driver_loses_nothing_that_was_finished(space_file, tmp_path, whole):
    kill_in_the_middle(space_file, tmp_path)
    folder = tmp_path / "stopped"
    before = xortune.load(folder).trials.dropna(subset=["duration_s"]).set_index("number")
    assert 0 < len(before) < 12
    resumed = xortune.resume(folder, runner="inline")
    assert_frame_equal(answer(resumed), answer(whole), check_exact=True)
    after = resumed.trials.set_index("number").loc[before.index]
    assert after["duration_s"].equals(before["duration_s"]), "finished trials are not done again"
    runs = list((folder / "tensorboard").glob("trial-*/events.out.tfevents.*"))
    assert len(runs) == 12
