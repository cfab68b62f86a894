"""Creates a study's folder with its ledger, or nothing."""

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
    """Creates a ledger in a new folder, open for writing; errors are those of `Ledger.create`.

    `fill` writes its first content, in the transaction that creates the tables.
    """
    missing = [f for f in (paths.folder, *paths.folder.parents) if not os.path.lexists(f)]
    try:
        paths.folder.mkdir(parents=True)
    except OSError as error:
        # The study's own folder is not ours: another search may have just created it.
        _remove(paths, missing[1:])
        fault = StudyExistsError if os.path.lexists(paths.folder) else UsageError
        raise fault(
            f"study {paths.name}: {paths.folder} cannot be created: {error.strerror}. "
            f"Choose another {option('name')} or {option('results')}."
        ) from None
    try:
        return _begun(paths, fill, heartbeat)
    except BaseException as error:
        _remove(paths, missing)
        if not isinstance(error, (XortuneError, OSError, sqlite3.Error)):
            raise
        raise XortuneError(
            f"study {paths.name}: {paths.ledger} could not be created: "
            f"{error.__cause__ or error}. Nothing was left behind. "
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
    """Removes the ledger's files, and these folders, innermost first."""
    if paths.folder in folders:
        files = (paths.ledger, paths.journal, *paths.log, paths.driver, paths.partial, paths.lock)
        for file in files:
            with suppress(OSError):
                file.unlink()
    for folder in folders:
        with suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106
