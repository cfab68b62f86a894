"""Makes a study from a ledger that was fetched, and updates it from later ones."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xortune.errors import UsageError, XortuneError
from xortune.escaping import shell_word
from xortune.ledger import Ledger
from xortune.ledger.study_lock import StudyLock
from xortune.loop.clock import Clock
from xortune.paths import StudyPaths, check_name, check_writable, new_study
from xortune.space import load_space
from xortune.studies.problems import problem_of
from xortune.studies.study import Study
from xortune.studies.trainings import CHANGEABLE
from xortune.trial import TrialRow

# The recorded settings that a resume elsewhere may have changed.
_MAY_DIFFER = (
    "trials", "device", "versions", "reference", "other_references", "forced", "training",
    "padding", "starts", *CHANGEABLE,
)  # fmt: skip


def adopt(fetch: Callable[[Path], None], name: str, results: str | Path) -> Study:
    """Makes a study, with runs and tables, from a fetched ledger.

    The ledger of an existing study of that name is replaced if the fetched one contains it, as
    when the search has continued since.

    Args:
        fetch: writes the ledger to the path it is given. Its content is not trusted.
        name: the study's name.
        results: the folder of the study's own folder.

    Raises:
        UsageError: there is another study of that name, or one that was resumed here. After any
            error, an existing study is unchanged, and no new one remains.
        StudyBusyError: a driver is at work on the study here.
        XortuneError: the file is not a ledger.
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
        # Even if nothing is new: an earlier fetch may have been killed before it wrote them.
        with Ledger.read(paths) as ledger:
            _rebuild(ledger, paths)
    finally:
        lock.release()


def _fetched(fetch: Callable[[Path], None], scratch: Path, name: str) -> StudyPaths:
    """Fetches the ledger into a folder of its own, and reads all of it."""
    # One level deeper, because the temporary folder is private (mode 0700).
    partial = StudyPaths(scratch / name)
    partial.folder.mkdir()
    fetch(partial.ledger)
    try:
        with Ledger.open(partial) as ledger:
            ledger.settings(), ledger.provenance(), ledger.runs()
            for number in range(len(ledger.trials())):
                ledger.curve(number), ledger.weights(number)
            ledger.all_replicates(0), ledger.paused()
    except UsageError as error:
        raise XortuneError(f"study {name}: nothing was kept: {error}") from None
    return partial


def _check_continued(paths: StudyPaths, fetched: StudyPaths) -> None:
    """Raises UsageError where the fetched ledger lacks something that the study's has."""
    with Ledger.read(paths) as here, Ledger.read(fetched) as there:
        ours, theirs = _recorded(here), _recorded(there)
        for name in ours:
            if name not in _MAY_DIFFER and ours[name] != theirs[name]:
                raise _kept(paths, f"is another study: its {name} differs from the job's")
        if theirs["trials"] < ours["trials"]:
            total = f"a total of {ours['trials']} trials, and the job of {theirs['trials']}"
            raise _kept(paths, f"has {total}")
        trained, came = here.trials(), there.trials()
        for number, row in enumerate(trained):
            if number >= len(came) or not _continued(row, came[number]):
                raise _kept(paths, f"has trained on its own: the job's trial {number} is another")
        replicates = there.all_replicates(0)
        for number, found in here.all_replicates(0).items():
            if repr(replicates.get(number, [])[: len(found)]) != repr(found):
                raise _kept(
                    paths, f"has replicates of its own: the job's trial {number} has others"
                )
        runs = here.runs()
        if there.runs()[: len(runs)] != runs:
            raise _kept(paths, "was resumed here")


def _recorded(ledger: Ledger) -> dict[str, Any]:
    return {**ledger.settings().to_dict(), **ledger.provenance().to_dict()}


def _continued(here: TrialRow, there: TrialRow) -> bool:
    """Whether a row may have become another: outcomes never change.

    Times and workers are compared too, so a trial that was trained twice differs. The texts are
    compared, because a metric that is missing is NaN, which does not equal itself.
    """
    if here.trial != there.trial:
        return False
    return here.outcome is None or repr(here.outcome) == repr(there.outcome)


def _kept(paths: StudyPaths, fault: str) -> UsageError:
    return UsageError(
        f"--name {paths.name!r}: {shell_word(str(paths.folder))} {fault}, and is kept as it is. "
        "Choose another --name for the fetched study."
    )


def _replace(paths: StudyPaths, partial: StudyPaths) -> None:
    """Replaces the ledger atomically: a kill leaves one of the two."""
    if os.path.lexists(paths.journal):
        # SQLite would apply it to the new ledger.
        raise UsageError(
            f"{paths.journal} is left of an interrupted transaction. Let a resume end it: "
            f"python -m xortune resume {shell_word(str(paths.folder))}"
        )
    with partial.ledger.open("rb") as file:
        os.fsync(file.fileno())
    partial.ledger.replace(paths.ledger)


def _rebuild(ledger: Ledger, paths: StudyPaths) -> None:
    """Writes the runs and tables of finished trials from the ledger."""
    from xortune.loop.run_queue import RunQueue
    from xortune.report import tabulate
    from xortune.tensorboard.runs import RunWriter

    try:
        settings = ledger.settings()
        space = load_space(settings.space, settings.spec)
        runs = RunQueue(RunWriter(paths, space, problem_of(settings).graph), Clock())
        runs.add_missing(ledger, ledger.trials())
        runs.write_all()
        tabulate(ledger, paths)
    except UsageError as error:
        raise XortuneError(f"study {paths.name}: its runs were not written: {error}") from None
