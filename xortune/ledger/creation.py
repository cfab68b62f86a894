"""Making a study's folder with its ledger: all of it, or nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress

from xortune.errors import StudyExistsError, UsageError, XortuneError
from xortune.ledger.opening import connect
from xortune.ledger.schema import SCHEMA, VERSION
from xortune.ledger.study_lock import StudyLock
from xortune.ledger.transactions import LedgerFile
from xortune.paths import StudyPaths
from xortune.wording import option


def created(
    paths: StudyPaths,
    fill: Callable[[sqlite3.Connection], None],
    heartbeat: Callable[[], None],
) -> LedgerFile:
    """A new ledger in a new folder, open for writing.

    Args:
        paths: the study's.
        fill: writes what it holds from the beginning, in the transaction that makes the tables.
        heartbeat: called while a lock is waited for; raises where the wait is to end.

    Raises:
        StudyExistsError: the folder is there already.
        UsageError: the folder cannot be made.
        XortuneError: there is no room for the ledger. Nothing stays behind in either case.
    """
    missing = [f for f in (paths.folder, *paths.folder.parents) if not os.path.lexists(f)]
    try:
        paths.folder.mkdir(parents=True)
    except OSError as error:
        # The study's own folder is not ours: another search may just have made it.
        _remove(paths, missing[1:])
        fault = StudyExistsError if os.path.lexists(paths.folder) else UsageError
        raise fault(
            f"study {paths.name}: {paths.folder} cannot be made: {error.strerror}. "
            f"Choose another {option('name')} or {option('results')}."
        ) from None
    try:
        return _begun(paths, fill, heartbeat)
    except BaseException as error:
        _remove(paths, missing)
        if not isinstance(error, (XortuneError, OSError, sqlite3.Error)):
            raise
        raise XortuneError(
            f"study {paths.name}: {paths.ledger} could not be made: "
            f"{error.__cause__ or error}. Nothing is left of it. "
            f"Free space, or choose another {option('results')}."
        ) from error


def _begun(
    paths: StudyPaths,
    fill: Callable[[sqlite3.Connection], None],
    heartbeat: Callable[[], None],
) -> LedgerFile:
    lock = StudyLock(paths)
    try:
        paths.ledger.touch(exist_ok=False)
        connection = connect(paths, write=True)
    except BaseException:
        lock.release()
        raise
    file = LedgerFile(connection, paths, lock, heartbeat)
    try:
        with file.transaction() as connection:
            for table in SCHEMA:
                connection.execute(table)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("INSERT INTO seal VALUES (0, 0, 0, 0, 0, 0, 0)")
            fill(connection)
    except BaseException:
        file.close()
        raise
    return file


def _remove(paths: StudyPaths, folders: Sequence[os.PathLike[str]]) -> None:
    """Takes back what `created` made: its files, and those folders, innermost first."""
    if paths.folder in folders:
        made = (paths.ledger, paths.journal, *paths.log, paths.driver, paths.partial, paths.lock)
        for file in made:
            with suppress(OSError):
                file.unlink()
    for folder in folders:
        with suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106
