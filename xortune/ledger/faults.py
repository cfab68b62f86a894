"""Errors for a ledger that cannot be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from xortune.errors import UsageError
from xortune.ledger.waiting import is_locked
from xortune.paths import StudyPaths

# Damage also makes SQLite return invalid UTF-8 and request unbounded memory.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError, MemoryError)
# What reading an impossible value raises; `Damage` is a ValueError.
VALUE_ERRORS = (ValueError, LookupError, TypeError, ArithmeticError, RecursionError, UsageError)
# Bytes 18 and 19 of the file: the versions of its write and its read format.
MODES = slice(18, 20)
WAL = b"\2\2"


@contextmanager
def explained(paths: StudyPaths) -> Iterator[None]:
    """Raises errors that reveal a damaged ledger as UsageError."""
    try:
        yield
    except SQLITE_ERRORS as error:
        raise unreadable(paths, error) from error
    except VALUE_ERRORS as error:
        raise damaged(paths, error) from error


def damaged(paths: StudyPaths, reason: object) -> UsageError:
    """The error for a damaged ledger; names the tables that remain."""
    tables = [path.name for path in (paths.trials_csv, paths.trials_parquet) if path.is_file()]
    still = (
        f" Until then {' and '.join(tables)} beside it still "
        f"{'hold' if len(tables) > 1 else 'holds'} the table as last written."
        if tables
        else ""
    )
    return UsageError(f"{paths.ledger} is damaged: {tame(reason)}. Restore it from a copy.{still}")


def unreadable(paths: StudyPaths, error: Exception) -> UsageError:
    """The error for an exception of SQLite's."""
    if isinstance(error, MemoryError):
        return damaged(paths, "reading it takes more memory than this machine has")
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
            "read a copy of the folder in a place where you may write."
        )
    return UsageError(
        f"{paths.ledger} cannot be read: {tame(error)}. Restore access to it and to its "
        "folder, or restore it from a copy."
    )


def in_wal_mode(paths: StudyPaths) -> bool:
    """Whether another program has switched the file to WAL mode."""
    try:
        with paths.ledger.open("rb") as file:
            return file.read(MODES.stop)[MODES] == WAL
    except OSError:
        return False


def tame(reason: object) -> str:
    """One short printable line; the reason may quote the content of the file."""
    line = " ".join(str(reason).split())[:200].rstrip(".")
    return "".join(sign if sign.isprintable() else "?" for sign in line)
