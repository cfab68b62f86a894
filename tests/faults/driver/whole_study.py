"""Whether a study that was disturbed is the undisturbed one all the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import xortune
from tests.small_study import answer
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.report import as_csv
from xortune.trial import Trial

LEFT = {"study.db", ".lock", "trials.csv", "trials.parquet", "tensorboard"}


def finished_trials(folder: Path, scratch: Path) -> list[Trial]:
    """Those that the ledger of a killed driver has, read in a copy: reading rolls back."""
    copy = StudyPaths(Path(shutil.copytree(folder, scratch)))
    with Ledger.read(copy) as ledger:
        found = [row.trial for row in ledger.trials() if row.outcome is not None]
    shutil.rmtree(scratch)
    return found


def check_whole(folder: Path, undisturbed: xortune.Study, runs: bool = True) -> None:
    """Table, curves, weights, runs and files are those of the undisturbed study."""
    study = xortune.load(folder)
    assert {path.name for path in folder.iterdir()} == LEFT
    trials = study.trials
    pd.testing.assert_frame_equal(answer(study), answer(undisturbed), check_exact=True)
    parquet = pd.read_parquet(study.paths.trials_parquet)
    pd.testing.assert_frame_equal(parquet, trials, check_exact=True)
    assert study.paths.trials_csv.read_text(encoding="utf-8") == as_csv(trials)
    assert set(trials["state"]) <= {"COMPLETE", "FAIL"}
    with Ledger.read(study.paths) as ours, Ledger.read(undisturbed.paths) as theirs:
        assert ours.findings() == theirs.findings()
        for row, other in zip(ours.trials(), theirs.trials(), strict=True):
            assert row.outcome is not None
            assert other.outcome is not None
            assert row.outcome.weights == other.outcome.weights
            number = row.trial.number
            assert repr(ours.curve(number)) == repr(theirs.curve(number))
    if runs:
        check_runs(study)


def check_runs(study: xortune.Study) -> None:
    """Every trial has one run, which TensorBoard reads back, and there is nothing else."""
    folders = {path.name for path in study.paths.tensorboard.iterdir()}
    assert folders == {study.paths.run(number).name for number in study.trials["number"]}
    for trial in study.trials.itertuples():
        (file,) = study.paths.run(trial.number).iterdir()
        reader = EventAccumulator(str(file))
        reader.Reload()
        steps = [event.step for event in reader.Scalars("loss/training")]
        assert steps == study.curves(trial.number)["epoch"].tolist()
        assert ("result/final_loss" in reader.Tags()["scalars"]) == (trial.state == "COMPLETE")
