"""Waiting while another program holds a lock on the ledger's file."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from xortune.escaping import visible

_log = logging.getLogger("xortune")
_T = TypeVar("_T")
# How long SQLite itself tries: in there Python notices no signal.
TRY_S = 0.1
# Others' reads take moments; after this the wait is explained, and again at such intervals.
_SILENT_S = 5.0
_REMIND_S = 60.0
_MOST_NAMED = 5


def is_locked(error: BaseException) -> bool:
    """Whether it is a lock, which passes, that an error of SQLite's is about."""
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def patiently(
    action: Callable[[], _T], file: Path, heartbeat: Callable[[], None], most_s: float
) -> _T:
    """Repeats an action until no lock is in its way; warns when that takes long.

    Args:
        action: what SQLite is to do; changes nothing when it finds a lock.
        file: the ledger, for the warning.
        heartbeat: called between two attempts; raises where the wait is to end.
        most_s: seconds after which the lock's error is raised.
    """
    began = time.monotonic()
    due = began + _SILENT_S
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if not is_locked(error) or time.monotonic() - began > most_s:
                raise
        heartbeat()
        if time.monotonic() > due:
            due = time.monotonic() + _REMIND_S
            waited = time.monotonic() - began
            _log.warning(
                f"{file} has been locked for {waited:.0f} s by {others(file)}. xortune "
                "continues when the lock is released; nothing is lost."
            )


def others(file: Path) -> str:
    """Who else has the file open, as far as the system tells; names come from outside."""
    found = sorted(set(_holders(file)))
    if not found:
        return "another program"
    named = [f"{visible(name)} (process {pid})" for pid, name in found[:_MOST_NAMED]]
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return ", ".join(named) + more


def _holders(file: Path) -> Iterator[tuple[int, str]]:
    """Other processes that have the file open; none where there is no /proc."""
    with suppress(OSError):
        wanted = file.stat()
        for folder in Path("/proc").glob("[0-9]*"):
            if folder.name == str(os.getpid()):
                continue
            with suppress(OSError):
                if any(_is(link, wanted) for link in (folder / "fd").iterdir()):
                    yield int(folder.name), (folder / "comm").read_text(errors="replace").strip()


def _is(link: Path, wanted: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(link.stat(), wanted)
    return False
