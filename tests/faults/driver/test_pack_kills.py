"""SIGKILL while a pack at a rung is recorded: its trials are before it, or after it."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from tests.faults.driver import killed_pack
from xortune.ledger import Ledger
from xortune.paths import StudyPaths


def content(folder: Path) -> str:
    """All that the ledger holds, NaN included."""
    with Ledger.read(StudyPaths(folder)) as ledger:
        rows = list(ledger.trials())
        curves = [ledger.curve(row.trial.number) for row in rows]
        weights = [ledger.weights(row.trial.number) for row in rows]
        return repr((rows, curves, weights, ledger.paused(), ledger.all_replicates(0)))


@pytest.fixture
def folder(tmp_path) -> Path:
    return killed_pack.begin(tmp_path / "one").folder


def test_a_kill_at_every_boundary_of_a_pack_at_a_rung(forks, folder, tmp_path):
    whole, names = tmp_path / "whole", tmp_path / "names"
    shutil.copytree(folder, whole)
    before = content(folder)
    assert forks("killed_pack", "record", str(whole), None, str(names)).code == 0
    after, boundaries = content(whole), names.read_text().splitlines()
    assert before != after
    # The tables of trials, curves, weights, replicates and paused trials, with their counts.
    assert boundaries.count("in a transaction") >= 10
    for at, name in enumerate(boundaries):
        killed = tmp_path / str(at)
        shutil.copytree(folder, killed)
        ended = forks("killed_pack", "record", str(killed), at)
        assert ended.code == -signal.SIGKILL, ended.text
        assert content(killed) == (after if name == "after a transaction" else before)
        with Ledger.open(StudyPaths(killed)) as ledger:
            ledger.finish_trials(killed_pack.pack(), paused=killed_pack.LATER)
        assert content(killed) == after
