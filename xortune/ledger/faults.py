"""The errors for a ledger that cannot be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from xortune.errors import UsageError
from xortune.ledger.waiting import is_locked
from xortune.paths import StudyPaths

# Damage also makes SQLite return invalid UTF-8 and request unbounded memory.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError, MemoryError)
# Bytes 18 and 19 of the file: how it is written and read.
MODES = slice(18, 20)
WAL = b"\2\2"


@contextmanager
def explained(paths: StudyPaths) -> Iterator[None]:
    """While entered, whatever shows that a ledger is damaged is raised as a UsageError."""
    try:
        yield
    except SQLITE_ERRORS as error:
        raise unreadable(paths, error) from error
    except (
        ValueError,
        LookupError,
        TypeError,
        ArithmeticError,
        RecursionError,
        UsageError,
    ) as error:
        raise damaged(paths, error) from error


def damaged(paths: StudyPaths, reason: object) -> UsageError:
    """The error for a damaged ledger."""
    tables = [path for path in (paths.trials_csv, paths.trials_parquet) if path.is_file()]
    still = (
        f" Until then {' and '.join(path.name for path in tables)} beside it "
        f"still {'hold' if len(tables) > 1 else 'holds'} the table as it was written last."
        if tables
        else ""
    )
    return UsageError(f"{paths.ledger} is damaged: {tame(reason)}. Restore it from a copy.{still}")


def unreadable(paths: StudyPaths, error: Exception) -> UsageError:
    """The error where SQLite cannot read the ledger."""
    if isinstance(error, MemoryError):
        return damaged(paths, "reading it takes more memory than there is")
    if type(error) is not sqlite3.OperationalError or "decode" in str(error):
        return damaged(paths, error)
    if is_locked(error):
        return UsageError(
            f"{paths.ledger} has been locked for longer than usual. Is the process writing it "
            "suspended? Resume or end that process."
        )
    if in_wal_mode(paths):
        return UsageError(
            f"{paths.ledger} cannot be read: {tame(error)}. Another program has put it into WAL "
            "mode, in which reading it writes files beside it. Make its folder writable, or "
            "copy the folder to where you may write, and read it there."
        )
    return UsageError(
        f"{paths.ledger} cannot be read: {tame(error)}. Restore access to it and to its "
        "folder, or restore it from a copy."
    )


def in_wal_mode(paths: StudyPaths) -> bool:
    """Whether another program has had SQLite write a log instead of a journal."""
    try:
        with paths.ledger.open("rb") as file:
            return file.read(MODES.stop)[MODES] == WAL
    except OSError:
        return False


def tame(reason: object) -> str:
    """One short line that a terminal shows as it is: it may quote what is in the file."""
    line = " ".join(str(reason).split())[:200].rstrip(".")
    return "".join(sign if sign.isprintable() else "?" for sign in line)
