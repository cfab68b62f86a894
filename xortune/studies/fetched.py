"""Making a study of a ledger that comes from elsewhere, and bringing it up to date later."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from xortune.errors import UsageError, XortuneError
from xortune.escaping import shell_word
from xortune.ledger import Ledger, TrialRow
from xortune.ledger.study_lock import StudyLock
from xortune.loop.clock import Clock
from xortune.paths import StudyPaths, check_name, check_writable, new_study
from xortune.settings import StudySettings
from xortune.space import load_space
from xortune.studies.study import Study

# What a resume elsewhere may have changed.
_MAY_DIFFER = ("trials", "device", "versions", "forced")


def adopt(fetch: Callable[[Path], None], name: str, results: str | Path) -> Study:
    """Makes a study of a ledger from elsewhere: its runs and tables are made from it.

    Where there is a study of that name already, the ledger takes the place of its own if it
    has everything that the own one has, as when the search has continued since it was fetched.

    Args:
        fetch: writes the ledger to the path it is given. It is not trusted.
        name: the study's name.
        results: the folder that the study's own folder goes into.

    Raises:
        UsageError: there is another study of that name, or one that was resumed here. Nothing
            stays, here and below, and the study here is as it was.
        StudyBusyError: a driver is at work on the study here.
        XortuneError: what came is not a ledger.
    """
    folder = Path(results)
    check_name(name)
    paths = StudyPaths(folder / name)
    if paths.ledger.is_file():
        _update(fetch, paths)
    else:
        _make(fetch, new_study(folder, name))
    return Study(paths)


def _make(fetch: Callable[[Path], None], paths: StudyPaths) -> None:
    results = paths.folder.parent
    check_writable(results)
    results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetched-", dir=results) as scratch:
        partial = _fetched(fetch, Path(scratch), paths.name)
        with Ledger.open(partial) as ledger:
            _rebuild(ledger, partial)
        new_study(results, paths.name)
        partial.folder.rename(paths.folder)


def _update(fetch: Callable[[Path], None], paths: StudyPaths) -> None:
    check_writable(paths.folder.parent)
    lock = StudyLock(paths)
    try:
        with tempfile.TemporaryDirectory(prefix=".fetched-", dir=paths.folder.parent) as scratch:
            partial = _fetched(fetch, Path(scratch), paths.name)
            _check_continued(paths, partial)
            _replace(paths, partial)
        # Also where nothing has come: a kill may have kept an earlier one from writing them.
        with Ledger.read(paths) as ledger:
            _rebuild(ledger, paths)
    finally:
        lock.release()


def _fetched(fetch: Callable[[Path], None], scratch: Path, name: str) -> StudyPaths:
    """The ledger that came, checked, in a folder to itself."""
    # One level deeper, since the folder itself is for its owner's eyes alone.
    partial = StudyPaths(scratch / name)
    partial.folder.mkdir()
    fetch(partial.ledger)
    try:
        with Ledger.open(partial) as ledger:
            ledger.settings(), ledger.runs()
            for row in ledger.trials():
                ledger.curve(row.trial.number)
    except UsageError as error:
        raise XortuneError(f"study {name}: nothing was kept: {error}") from None
    return partial


def _check_continued(paths: StudyPaths, fetched: StudyPaths) -> None:
    """Checks that nothing of a study is lost when a fetched ledger takes its ledger's place.

    Raises:
        UsageError: something would be.
    """
    with Ledger.read(paths) as here, Ledger.read(fetched) as there:
        ours, theirs = here.settings(), there.settings()
        name = _other_setting(ours, theirs)
        if name is not None:
            raise _kept(paths, f"is another study: its {name} differs from the job's")
        if theirs.trials < ours.trials:
            total = f"a total of {ours.trials} trials, and the job of {theirs.trials}"
            raise _kept(paths, f"has {total}")
        trained, came = here.trials(), there.trials()
        for number, row in enumerate(trained):
            if number >= len(came) or not _continued(row, came[number]):
                raise _kept(paths, f"has trained on its own: the job's trial {number} is another")
        runs = here.runs()
        if there.runs()[: len(runs)] != runs:
            raise _kept(paths, "was resumed here")


def _other_setting(here: StudySettings, there: StudySettings) -> str | None:
    """The first setting that only another search can have otherwise."""
    ours, theirs = here.to_dict(), there.to_dict()
    differ = (key for key in ours if key not in _MAY_DIFFER and ours[key] != theirs[key])
    return next(differ, None)


def _continued(here: TrialRow, there: TrialRow) -> bool:
    """Whether a row may have become another: outcomes, once there, never change.

    Times and workers are compared too, so that a trial that was trained twice is not the same.
    """
    return here.trial == there.trial and here.outcome in (None, there.outcome)


def _kept(paths: StudyPaths, fault: str) -> UsageError:
    return UsageError(
        f"--name {paths.name!r}: {shell_word(str(paths.folder))} {fault}, and is kept as it is. "
        "Choose another --name for what is fetched."
    )


def _replace(paths: StudyPaths, partial: StudyPaths) -> None:
    """Puts a ledger in the place of another: a kill leaves one of the two, whole."""
    if os.path.lexists(paths.journal):
        # SQLite would apply it to a ledger that it does not belong to.
        raise UsageError(
            f"{paths.journal} is left of a transaction that was cut off. Let a resume end it: "
            f"python -m xortune resume {shell_word(str(paths.folder))}"
        )
    with partial.ledger.open("rb") as file:
        os.fsync(file.fileno())
    partial.ledger.replace(paths.ledger)


def _rebuild(ledger: Ledger, paths: StudyPaths) -> None:
    """Writes runs and tables from the ledger, whatever is finished; trains nothing."""
    from xortune.loop.search import Search
    from xortune.report import tabulate
    from xortune.tensorboard.runs import RunWriter

    try:
        settings = ledger.settings()
        space = load_space(settings.space)
        runs = RunWriter(paths, space, settings.metric)
        Search(ledger, space, settings, runs, Clock(), lambda _: None, lambda: None).write_runs()
        tabulate(ledger, paths)
    except UsageError as error:
        raise XortuneError(f"study {paths.name}: its runs were not written: {error}") from None
