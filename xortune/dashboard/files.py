"""Writes a study as an Optuna storage in one file, which Optuna and its dashboard open."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from optuna.trial import FrozenTrial

from xortune.dashboard.facts import directions, metric_names, study_attrs
from xortune.dashboard.journal import write_journal
from xortune.dashboard.relational import write_relational
from xortune.dashboard.written import Written
from xortune.errors import UsageError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths
from xortune.sampling import Frozen
from xortune.space import load_space
from xortune.wording import option

# By the ending of the file's name; of each format the first is the one that messages name.
_FORMATS: dict[str, Callable[[Written, Path], None]] = {
    **dict.fromkeys((".log", ".journal"), write_journal),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), write_relational),
}


class Export(NamedTuple):
    """A file that was written."""

    trials: int
    address: str  # of the storage, as the command `optuna-dashboard` takes it


def export_to_optuna(paths: StudyPaths, file: Path, *, force: bool = False) -> Export:
    """Writes all trials of a study, with their numbers, into a file, atomically.

    The ending decides: `.log` and `.journal` are for Optuna's JournalStorage, `.db`, `.sqlite` and
    `.sqlite3` for its RDBStorage.

    Args:
        paths: the study's.
        file: created; its folder exists.
        force: replaces a file that exists.

    Raises:
        UsageError: the ending is unknown, the file exists or cannot be written, or the study
            cannot be read.
    """
    write = _FORMATS.get(file.suffix.lower())
    if write is None:
        raise UsageError(
            f"{file}: its ending does not name a format. Use .log for Optuna's JournalStorage, or "
            ".db for its RDBStorage."
        )
    _check_place(paths, file, force)
    written = _read(paths)
    try:
        with tempfile.TemporaryDirectory(prefix=".xortune-", dir=file.parent) as folder:
            new = Path(folder) / file.name
            write(written, new)
            _check_place(paths, file, force)  # Writing may have taken a while.
            new.replace(file)
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be written: {error.strerror or error}. Choose another file."
        ) from None
    is_journal = write is write_journal
    return Export(len(written.trials), str(file) if is_journal else f"sqlite:///{file}")


def _check_place(paths: StudyPaths, file: Path, force: bool) -> None:
    folder = os.path.realpath(paths.folder)
    if Path(os.path.realpath(file)).is_relative_to(folder):
        raise UsageError(f"{file}: the study keeps its own files there. Choose another folder.")
    if file.is_dir():
        raise UsageError(f"{file}: is a folder. Name a file.")
    if os.path.lexists(file) and not force:
        raise UsageError(
            f"{file}: exists already. Choose another name, or replace it with "
            f"{option('force', True)}."
        )


def _read(paths: StudyPaths) -> Written:
    with Ledger.read(paths) as ledger:
        settings, provenance = ledger.settings(), ledger.provenance()
        found = [change.trial for change in ledger.changes()]
    space = load_space(settings.space, settings.spec)
    frozen = Frozen(space, provenance.outdated_numbers())
    trials: Sequence[FrozenTrial] = [frozen.trial(trial) for trial in found]
    return Written(
        paths.name,
        directions(settings.spec),
        study_attrs(settings, provenance),
        metric_names(settings.spec),
        trials,
    )
