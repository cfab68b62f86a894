"""The driver as a real process: stopped by signals, killed, and resumed."""

import re
import signal
import subprocess
import sys

import pytest
import yaml
from pandas.testing import assert_frame_equal
from studies import SPACE, answer

import xortune

# Packs of one trial, of some tenths of a second each: there is always one under way.
SLOW = {**SPACE, "lr": {"values": [0.1, 1.0, 10.0]}, "epochs": {"value": 1_200_000}}
RECORDED = {"trials": 24, "generation": 12, "log_every": 400_000}
SETTINGS = [f"--{name.replace('_', '-')}={value}" for name, value in RECORDED.items()]
SETTINGS += ["--pack-size", "1"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    results = tmp_path_factory.mktemp("whole")
    return xortune.search(SLOW, runner="inline", name="whole", results=results, **RECORDED)


@pytest.fixture
def space_file(tmp_path):
    path = tmp_path / "slow.yaml"
    path.write_text(yaml.safe_dump({"parameters": SLOW}))
    return path


def stop_in_the_middle(space_file, results, runner, number):
    """Starts a search, sends a signal as soon as some trials are done, waits for the end."""
    command = [sys.executable, "-m", "xortune", "search", str(space_file), *SETTINGS]
    command += ["--name", "stopped", "--results", str(results), "--runner", runner]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        lines = []
        for line in process.stderr:
            lines.append(line)
            done = re.match(r"(\d+)/24 trials", line)
            if done and 0 < int(done[1]) < 24:
                process.send_signal(number)
                break
        else:
            pytest.fail("never in the middle: " + "".join(lines))
        _, rest = process.communicate()
    return process.returncode, rest


@pytest.mark.parametrize("runner", ["inline", "ray"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_cleanly(space_file, tmp_path, whole, runner, number, code):
    returncode, rest = stop_in_the_middle(space_file, tmp_path, runner, number)
    assert returncode == code
    folder = tmp_path / "stopped"
    assert f"python -m xortune resume {folder}" in rest
    assert "Traceback" not in rest
    stopped = xortune.load(folder)
    kept = stopped.trials.query("state == 'COMPLETE' or state == 'FAIL'")
    assert 0 < len(kept) < 24
    assert len((folder / "trials.csv").read_text().splitlines()) == len(stopped.trials) + 1
    assert (folder / "trials.parquet").exists()
    resumed = xortune.resume(folder, runner="inline")
    assert_frame_equal(answer(resumed), answer(whole), check_exact=True)


@pytest.mark.parametrize("runner", ["inline", "ray"])
def test_a_killed_driver_loses_nothing_that_was_finished(space_file, tmp_path, whole, runner):
    returncode, _ = stop_in_the_middle(space_file, tmp_path, runner, signal.SIGKILL)
    assert returncode == -signal.SIGKILL
    folder = tmp_path / "stopped"
    before = xortune.load(folder).trials.dropna(subset=["duration_s"]).set_index("number")
    assert 0 < len(before) < 24
    resumed = xortune.resume(folder, runner="inline")
    assert_frame_equal(answer(resumed), answer(whole), check_exact=True)
    after = resumed.trials.set_index("number").loc[before.index]
    assert after["duration_s"].equals(before["duration_s"]), "finished trials are not done again"
    runs = list((folder / "tensorboard").glob("trial-*/events.out.tfevents.*"))
    assert len(runs) == 24
