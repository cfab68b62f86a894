"""Processes of Ray itself that are killed in the middle of a search, which is then told so."""

import os
import re
import signal
from pathlib import Path

import pytest
import yaml
from pandas.testing import assert_frame_equal

import xortune
from tests.faults.terminals import Terminal
from tests.small_study import answer

# Packs of one trial, of half a second or more each: there is always one under way.
SPACE = {
    "lr": {"values": [0.1, 1.0, 10.0]},
    "epochs": {"value": 6_000_000},
    "seed": {"min": 0, "max": 99},
    "loss_fn": {"values": ["mse", "bce", "bce_with_logits"]},
}
RECORDED = {"trials": 12, "generation": 6, "log_every": 3_000_000}
SEARCH = ["search", "slow.yaml", "--name=one", "--runner=ray", "--pack-size=1", "--workers=2"]
SEARCH += [f"--{name.replace('_', '-')}={value}" for name, value in RECORDED.items()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    results = tmp_path_factory.mktemp("whole")
    return xortune.search(SPACE, runner="inline", name="whole", results=results, **RECORDED)


def kill(terminal, names):
    killed = []
    for pid in terminal.running():
        name = Path(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()).name
        if name in names:
            os.kill(pid, signal.SIGKILL)
            killed.append(name)
    assert sorted(killed) == sorted(names)


@pytest.mark.parametrize(
    "names",
    [
        ("raylet",),
        pytest.param(("gcs_server",), marks=pytest.mark.long),
        pytest.param(("gcs_server", "raylet"), marks=pytest.mark.long),
    ],
)
def test_a_search_whose_ray_is_killed_reports_it_and_loses_nothing(tmp_path, whole, names):
    (tmp_path / "slow.yaml").write_text(yaml.safe_dump({"parameters": SPACE}))
    with Terminal(SEARCH, tmp_path) as terminal:
        terminal.wait_for(r"[1-9]\d*/12\b")
        kill(terminal, names)
        code = terminal.end()
        assert code == 1, terminal.screen[-4000:]
        said, resume = terminal.screen.splitlines()[-2:]
        gone = r"xortune: Ray has gone in the middle of the search: its \w+ has ended\."
        assert re.search(gone, said), terminal.screen[-4000:]
        assert resume.endswith("Resume with: python -m xortune resume results/one")
        assert "Traceback" not in terminal.screen
        assert terminal.left_behind() == []
    stopped = xortune.load(tmp_path / "results" / "one").trials
    csv = tmp_path / "results" / "one" / "trials.csv"
    assert len(csv.read_text().splitlines()) == 1 + len(stopped)
    resumed = xortune.resume(tmp_path / "results" / "one", runner="inline")
    assert_frame_equal(answer(resumed), answer(whole), check_exact=True)
