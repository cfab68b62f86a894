"""The study that tests of faults and of clusters compare, and what must hold of it."""

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

from pandas.testing import assert_frame_equal
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from xortune.report import UNREPEATABLE

# Every loss function, a lane that diverges, and packs that differ much in length.
SPACE = {
    "lr": {"values": [0.1, 1.0, 10.0, 3e38]},
    "epochs": {"distribution": "q_log_uniform_values", "min": 20, "max": 400},
    "seed": {"min": 0, "max": 99},
    "loss_fn": {"values": ["mse", "bce", "bce_with_logits"]},
}
SETTINGS = {"trials": 22, "generation": 12, "log_every": 50, "study_seed": 0, "confirm": "none"}


def answer(study):
    """The ranked table, but for what may differ between two runs."""
    return study.trials.drop(columns=list(UNREPEATABLE))


def check_undisturbed(study, undisturbed):
    """The table is that of another study to the last bit, and every run is there and whole."""
    assert_frame_equal(answer(study), answer(undisturbed), check_exact=True)
    check_runs(study)


def check_runs(study):
    """Every trial has one TensorBoard run, that TensorBoard reads to its end."""
    for number in study.trials["number"]:
        (file,) = study.paths.run(number).iterdir()
        reader = EventAccumulator(str(file)).Reload()
        epochs = list(study.curves(number)["epoch"])
        if epochs:
            assert [point.step for point in reader.Scalars("loss/training")] == epochs
    assert len(list(study.paths.tensorboard.iterdir())) == len(study.trials)


def worker_pids():
    """The processes below this one that are workers; Ray names them by what they are at."""
    parents, workers = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pid = int(folder.name)
            # The name, which may hold anything, stands in parentheses before the state.
            parents[pid] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if re.match(rb"ray::\w*Trainable", (folder / "cmdline").read_bytes()):
                workers.append(pid)
    return [pid for pid in workers if _is_below(pid, os.getpid(), parents)]


def _is_below(pid, ancestor, parents):
    while pid in parents and pid != ancestor:
        pid = parents[pid]
    return pid == ancestor


def kill_workers():
    for pid in worker_pids():
        os.kill(pid, signal.SIGKILL)
