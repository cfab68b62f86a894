"""Making a study of a ledger that comes from elsewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from xortune.errors import UsageError, XortuneError
from xortune.ledger import Ledger
from xortune.paths import StudyPaths, check_writable, new_study
from xortune.space import load_space
from xortune.study import Study
from xortune.times import Clock


def adopt(fetch: Callable[[Path], None], name: str, results: str | Path) -> Study:
    """Makes a study of a ledger from elsewhere: its runs and tables are made from it.

    Args:
        fetch: writes the ledger to the path it is given. It is not trusted.
        name: the study's name.
        results: the folder that the study's own folder goes into.

    Raises:
        UsageError: there is a study of that name. Nothing stays, here and below.
        XortuneError: what came is no ledger.
    """
    folder = Path(results)
    paths = new_study(folder, name)
    check_writable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetched-", dir=folder) as scratch:
        # One level deeper, since the folder itself is for its owner's eyes alone.
        partial = StudyPaths(Path(scratch) / name)
        partial.folder.mkdir()
        fetch(partial.ledger)
        try:
            _rebuild(partial)
        except UsageError as error:
            raise XortuneError(f"study {name}: nothing was kept: {error}") from None
        new_study(folder, name)
        partial.folder.rename(paths.folder)
    return Study(paths)


def _rebuild(paths: StudyPaths) -> None:
    """Writes runs and tables from the ledger, whatever is finished; trains nothing."""
    from xortune.report import tabulate
    from xortune.search_loop import Search
    from xortune.tensorboard import RunWriter

    with Ledger.open(paths) as ledger:
        settings = ledger.settings()
        space = load_space(settings.space)
        runs = RunWriter(paths, space, settings.metric)
        Search(ledger, space, settings, runs, Clock(), lambda _: None, lambda: None).write_runs()
        tabulate(ledger, paths)
