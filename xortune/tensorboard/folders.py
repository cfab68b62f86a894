"""The folders of a study's runs: which are there, whose they are, and which go."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from xortune.atomic_files import not_written, real_folder
from xortune.paths import PARTIAL, StudyPaths

EVENT_FILE = "events.out.tfevents."
_RUN = re.compile(r"trial-(\d{5,18})")
_HEAD = 100_000  # bytes, which hold the description of the study in any run


def event_files(run: Path) -> list[Path]:
    """The event files of one run; empty if it is missing.

    Raises:
        XortuneError: the run is not a folder, or cannot be read.
    """
    if not real_folder(run):
        return []
    try:
        return [file for file in run.iterdir() if file.name.startswith(EVENT_FILE)]
    except OSError as error:
        raise not_written(run, error) from error


def has_runs(folder: Path) -> bool:
    """Whether a study, or one of the studies of a results folder, has a run."""
    patterns = (f"trial-*/{EVENT_FILE}*", f"*/tensorboard/trial-*/{EVENT_FILE}*")
    try:
        return any(True for pattern in patterns for _ in folder.glob(pattern))
    except OSError:
        return False


def has_earlier_runs(paths: StudyPaths, group: str) -> bool:
    """Whether the study has runs of an earlier version, whose results are in no group.

    The HPARAMS tab takes its columns from any one of the runs: so they must be alike.
    """
    with suppress(OSError), os.scandir(paths.tensorboard) as runs:
        for run in runs:
            if not run.is_dir(follow_symlinks=False):
                continue
            with os.scandir(run.path) as files:
                for file in files:
                    if file.name.startswith(EVENT_FILE) and file.is_file(follow_symlinks=False):
                        with Path(file.path).open("rb") as opened:
                            return f"{group}/".encode() not in opened.read(_HEAD)
    return False


def remove_others(paths: StudyPaths, numbers: Collection[int]) -> None:
    """Removes the runs of all trials but these; other files and folders stay.

    Raises:
        XortuneError: one cannot be removed.
    """
    if not real_folder(paths.tensorboard):
        return
    kept = {paths.run(number).name for number in numbers}
    for run in sorted(paths.tensorboard.iterdir()):
        if not _RUN.fullmatch(run.name) or run.name in kept:
            continue
        try:
            for file in event_files(run):
                file.unlink()
            (run / PARTIAL).unlink(missing_ok=True)
            with suppress(OSError):  # It holds something else.
                run.rmdir()
        except OSError as error:
            raise not_written(run, error) from error
