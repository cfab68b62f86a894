"""The studies in a results folder, at a glance."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from xortune.errors import UsageError
from xortune.ledger import Ledger, Overview
from xortune.ledger.study_lock import is_at_work
from xortune.paths import StudyPaths, as_path
from xortune.settings import StudySettings
from xortune.wording import option

StudyState = Literal["running", "finished", "interrupted", "damaged"]


@dataclass(frozen=True)
class Listed:
    """One study. A damaged one has its name, its folder, its error, and nothing else."""

    name: str
    folder: Path
    changed: datetime  # when its ledger was written last, in UTC
    state: StudyState
    problem: str | None = None  # the name of its data, or of its function
    finished: int | None = None  # trials
    trials: int | None = None  # trials in all
    objective: str | None = None  # the metric
    direction: str | None = None
    best: float | None = None  # of the objective; None if no trial ranks
    error: str | None = None


@dataclass(frozen=True)
class Listing:
    """What there is in a results folder."""

    studies: Sequence[Listed]  # those changed last first
    others: Sequence[str]  # names of folders that hold no study


def studies_in(results: Path) -> Listing:
    """The studies of a results folder, damaged ones among them; reads no trial but the best.

    Raises:
        UsageError: there is no such folder, or it cannot be read.
    """
    results = as_path("results", results)
    if StudyPaths(results).ledger.exists():
        parent = results.parent if results.name else results / ".."
        raise UsageError(
            f"{option('results')} {results}: is a study. Name the folder that holds it: "
            f"{option('results', str(parent))}."
        )
    try:
        folders = sorted(path for path in results.iterdir() if path.is_dir())
    except OSError as error:
        raise UsageError(
            f"{option('results')} {results}: cannot be read: {error.strerror}. A search makes it; "
            "or name another folder."
        ) from None
    studies, others = [], []
    for paths in map(StudyPaths, folders):
        if os.path.lexists(paths.ledger):
            studies.append(_listed(paths))
        elif not paths.name.startswith("."):
            others.append(paths.name)
    return Listing(sorted(studies, key=lambda one: (-one.changed.timestamp(), one.name)), others)


def _listed(paths: StudyPaths) -> Listed:
    changed = _changed(paths)
    try:
        # Before its trials are counted: a driver that ends in between has finished them.
        running = is_at_work(paths)
        with Ledger.read(paths) as ledger:
            settings, overview = ledger.settings(), ledger.overview()
            stopped = ledger.findings().get("stopped", {}).get("by")
    except UsageError as error:
        return Listed(paths.name, paths.folder, changed, "damaged", error=str(error))
    objective = settings.spec.objectives[0]
    return Listed(
        paths.name,
        paths.folder,
        changed,
        _state(settings, overview, stopped, running),
        settings.data or settings.spec.problem,
        overview.finished,
        settings.trials,
        objective.metric,
        objective.direction,
        overview.best,
    )


def _state(
    settings: StudySettings, overview: Overview, stopped: str | None, running: bool
) -> StudyState:
    if running:
        return "running"
    # A time limit leaves trials that a resume would train.
    over = stopped not in (None, "timeout") or overview.finished >= settings.trials
    return "finished" if over else "interrupted"


def _changed(paths: StudyPaths) -> datetime:
    try:
        seconds = os.lstat(paths.ledger).st_mtime
    except OSError:
        seconds = 0.0
    return datetime.fromtimestamp(seconds, timezone.utc)
