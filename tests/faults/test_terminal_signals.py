"""A search on a terminal: Ctrl-C, kill, and a window that is closed, at any moment."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from pandas.testing import assert_frame_equal

import xortune
from tests.faults.terminals import CTRL_C, Terminal
from tests.small_study import answer

# Packs of one trial, of a tenth of a second or more each: there is always one under way.
SPACE = {
    "lr": {"values": [0.1, 1.0, 10.0]},
    "epochs": {"value": 3_000_000},
    "seed": {"min": 0, "max": 99},
    "loss_fn": {"values": ["mse", "bce", "bce_with_logits"]},
}
RECORDED = {"trials": 12, "generation": 6, "log_every": 1_500_000}
SEARCH = ["search", "slow.yaml", "--name=one", "--pack-size=1"]
SEARCH += [f"--{name.replace('_', '-')}={value}" for name, value in RECORDED.items()]
CODES = {"ctrl-c": 130, "twice": 130, "term": 143, "group": 143, "each": 143, "hup": 129}
MIDDLE = r"[1-9]\d*/12\b"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    results = tmp_path_factory.mktemp("whole")
    return xortune.search(SPACE, runner="inline", name="whole", results=results, **RECORDED)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "slow.yaml").write_text(yaml.safe_dump({"parameters": SPACE}))
    return tmp_path


def strike(terminal: Terminal, blow: str) -> None:
    """What the user does, or whoever stops the machine."""
    if blow == "term":
        terminal.send(signal.SIGTERM)
    elif blow == "group":
        os.killpg(terminal.pid, signal.SIGTERM)
    elif blow == "each":
        # As systemd and SLURM do, which know of more than groups.
        for pid in [terminal.pid, *(pid for pid in terminal.running() if pid != terminal.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
    elif blow == "hup":
        terminal.hang_up()
    else:
        terminal.type(CTRL_C)
    if blow == "twice":
        time.sleep(0.15)  # as fast as a finger; the kernel makes one of two at the same time
        terminal.type(CTRL_C)


def check_that_nothing_is_lost(folder: Path, whole: xortune.Study, tables: bool) -> None:
    """What was stopped is whole, and going on with it gives the undisturbed table."""
    stopped = xortune.load(folder / "results" / "one").trials
    assert set(stopped["state"]) <= {"COMPLETE", "WAITING"}
    if tables:
        csv = folder / "results" / "one" / "trials.csv"
        assert len(csv.read_text().splitlines()) == 1 + len(stopped)
    resumed = xortune.resume(folder / "results" / "one", runner="inline")
    assert_frame_equal(answer(resumed), answer(whole), check_exact=True)


def stop_in_the_middle(folder: Path, runner: str, blow: str, whole: xortune.Study) -> None:
    with Terminal([*SEARCH, "--runner", runner], folder) as terminal:
        terminal.wait_for(MIDDLE)
        strike(terminal, blow)
        code = terminal.end()
        assert code == CODES[blow], terminal.screen[-4000:]
        assert "Traceback" not in terminal.screen, terminal.screen[-4000:]
        if blow == "twice":
            # Or in order, where the first of the two was answered before the second came.
            assert re.search(r"stopped( at once)?; what was finished is kept", terminal.screen)
        elif blow != "hup":
            last = terminal.screen.splitlines()[-1]
            assert last.endswith("Resume with: python -m xortune resume results/one")
        assert terminal.left_behind() == []
    check_that_nothing_is_lost(folder, whole, tables=blow != "twice")


@pytest.mark.parametrize("blow", ["ctrl-c", "twice", "term", "hup"])
def test_a_search_without_ray_is_stopped(folder, whole, blow) -> None:
    stop_in_the_middle(folder, "inline", blow, whole)


def test_a_search_on_ray_is_stopped_by_signals_to_all_its_processes(folder, whole) -> None:
    stop_in_the_middle(folder, "ray", "each", whole)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("blow", [blow for blow in CODES if blow != "each"])
def test_a_search_on_ray_is_stopped_by_other_signals(folder, whole, blow) -> None:
    stop_in_the_middle(folder, "ray", blow, whole)


@pytest.mark.parametrize(
    ("runner", "blow"),
    [
        ("inline", "ctrl-c"),
        *[
            pytest.param("ray", blow, marks=[pytest.mark.long, pytest.mark.timeout(300)])
            for blow in CODES
        ],
    ],
)
def test_a_search_is_stopped_before_it_has_begun(folder, runner, blow) -> None:
    with Terminal([*SEARCH, "--runner", runner], folder) as terminal:
        if runner == "ray":
            while len(terminal.running()) < 3 and not terminal.ended():
                time.sleep(0.02)
        else:
            terminal.wait_for("starting")
        strike(terminal, blow)
        code = terminal.end()
        assert code == CODES[blow], terminal.screen[-4000:]
        assert "Traceback" not in terminal.screen, terminal.screen[-4000:]
        if blow not in ("hup", "twice"):
            last = terminal.screen.splitlines()[-1]
            assert last.endswith("xortune: stopped before anything was started")
        assert terminal.left_behind() == []
    assert [path.name for path in folder.iterdir()] == ["slow.yaml"]


@pytest.mark.long
def test_under_nohup_a_search_outlives_its_terminal(folder, whole) -> None:
    with Terminal([*SEARCH, "--runner=inline"], folder, before=("nohup",)) as terminal:
        while not (folder / "results" / "one" / "tensorboard" / "trial-00000").exists():
            assert not terminal.ended()
            time.sleep(0.02)
        terminal.hang_up()
        assert terminal.end() == 0
    assert "12 trials (12 COMPLETE)" in (folder / "nohup.out").read_text()
    check_that_nothing_is_lost(folder, whole, tables=True)


MANY = ["search", "smoke", "--name=one", "--runner=inline", "--sampler=random", "--trials=1500"]


@pytest.mark.long
@pytest.mark.parametrize("blow", ["ctrl-c", "twice", "term", "hup"])
def test_a_search_is_stopped_while_it_writes_its_runs_and_tables(tmp_path, blow) -> None:
    folder = tmp_path / "results" / "one"
    with Terminal(MANY, tmp_path) as terminal:
        while not (folder / "tensorboard" / "trial-00100").exists():
            assert not terminal.ended()
            time.sleep(0.005)
        strike(terminal, blow)
        assert terminal.end() == CODES[blow]
        assert "Traceback" not in terminal.screen, terminal.screen[-4000:]
    resumed = xortune.resume(folder, runner="inline")
    whole = xortune.search(
        "smoke", trials=1500, sampler="random", runner="inline", name="whole", results=tmp_path
    )
    assert_frame_equal(answer(resumed), answer(whole), check_exact=True)
    assert len((folder / "trials.csv").read_text().splitlines()) == 1501
    assert len(list(folder.glob("tensorboard/*/events*"))) == 1500


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("runner", "moments", "seconds"), [("inline", 60, 5), ("ray", 20, 14)])
def test_a_search_is_stopped_at_any_moment(
    tmp_path_factory, whole, runner, moments, seconds
) -> None:
    chance = random.Random(0)
    for moment in range(moments):
        folder = tmp_path_factory.mktemp("any")
        (folder / "slow.yaml").write_text(yaml.safe_dump({"parameters": SPACE}))
        blow = chance.choice(list(CODES))
        delay = chance.uniform(0.2, seconds)
        with Terminal([*SEARCH, "--runner", runner], folder) as terminal:
            terminal.watch(delay)
            strike_or_miss(terminal, blow)
            code = terminal.end()
            where = f"moment {moment}: {blow} after {delay:.3f} s: {terminal.screen[-2000:]!r}"
            assert code in (0, CODES[blow]), where
            assert "Traceback" not in terminal.screen, where
            assert terminal.left_behind() == [], where
        ledger = folder / "results" / "one" / "study.db"
        if ledger.exists():
            clean = code == 0 or blow != "twice"
            check_that_nothing_is_lost(folder, whole, tables=clean)
        else:
            assert code > 0, where
            assert not (folder / "results").exists(), where


def strike_or_miss(terminal: Terminal, blow: str) -> None:
    """The search may be over."""
    try:
        strike(terminal, blow)
    except OSError:
        assert terminal.ended()


def piped(folder: Path, tail: str, name: str) -> subprocess.CompletedProcess[str]:
    command = f"{sys.executable} -m xortune search smoke --runner inline --trials 30 "
    command += f"--generation 3 --name {name} {tail}"
    command += '; echo "${PIPESTATUS[0]}" >code'
    return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        ("2>&1 | head -n 1", "0"),
        pytest.param("2>/dev/full", "0", marks=pytest.mark.long),
        pytest.param(">&- 2>&-", "0", marks=pytest.mark.long),
        pytest.param(">/dev/full", "1", marks=pytest.mark.long),
    ],
)
def test_a_search_outlives_the_readers_of_its_output(tmp_path, tail, code) -> None:
    done = piped(tmp_path, tail, "one")
    assert (tmp_path / "code").read_text().strip() == code
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception ignored" not in done.stdout + done.stderr
    study = tmp_path / "results" / "one"
    assert set(xortune.load(study).trials["state"]) == {"COMPLETE"}
    assert len((study / "trials.csv").read_text().splitlines()) == 31
    if code == "1":
        error = "standard output cannot be written: No space left on device."
        assert done.stderr.splitlines()[-1] == f"xortune: {error}"
