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
# How long SQLite itself retries, during which Python cannot handle signals.
TRY_S = 0.1
# Reads by other programs are short. Warn after this long, then at intervals.
_SILENT_S = 5.0
_REMIND_S = 60.0
_MOST_NAMED = 5


def is_locked(error: BaseException) -> bool:
    """Whether an error is about a lock, which passes."""
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def patiently(
    action: Callable[[], _T], file: Path, heartbeat: Callable[[], None], most_s: float
) -> _T:
    """Repeats an action until no lock blocks it; warns if that takes long.

    Args:
        action: a call to SQLite that changes nothing while it is blocked.
        file: the ledger, for the warning.
        heartbeat: called between two attempts; raises to stop waiting.
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
    """The other programs that have the file open, as far as the system tells."""
    found = sorted(set(_holders(file)))
    if not found:
        return "another program"
    named = [f"{visible(name)} (process {pid})" for pid, name in found[:_MOST_NAMED]]
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return ", ".join(named) + more


def _holders(file: Path) -> Iterator[tuple[int, str]]:
    """The ids and names of other processes that have the file open; none without /proc."""
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
