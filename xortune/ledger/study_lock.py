"""The lock of a study, for one driver at a time, and the name of the process that holds it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import suppress
from pathlib import Path

from xortune.atomic_files import write_whole
from xortune.errors import StudyBusyError, UsageError
from xortune.ledger.faults import VALUE_ERRORS
from xortune.ledger.opening import no_link
from xortune.paths import StudyPaths

_UNKNOWN = "just starting"


class StudyLock:
    """The right to write a study: held until it is released or its process is killed.

    Raises:
        StudyBusyError: another driver holds it; the message names the process.
        UsageError: the folder cannot be written.
    """

    def __init__(self, paths: StudyPaths) -> None:
        # Readers do not need it, and its import takes as long as reading a ledger.
        from filelock import FileLock, Timeout

        self._paths = paths
        no_link(paths.lock)
        self._lock = FileLock(paths.lock)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise StudyBusyError(
                f"study {paths.name}: another driver is at work on it, {_holder(paths.driver)}. "
                "Wait for it, or stop it first."
            ) from None
        except OSError as error:
            raise UsageError(
                f"study {paths.name}: {paths.folder}: {error.strerror}. Restore access to it."
            ) from None
        try:
            # In a separate file, since the ledger cannot be read during a transaction.
            name = json.dumps({"host": socket.gethostname(), "pid": os.getpid()})
            write_whole(paths.folder, paths.driver.name, name.encode())
        except BaseException:
            self._lock.release()
            raise

    def release(self) -> None:
        """Lets others write the study."""
        with suppress(OSError):
            self._paths.driver.unlink()
        self._lock.release()


def is_at_work(paths: StudyPaths) -> bool:
    """Whether a driver is at work on a study; changes nothing.

    A driver that was killed has left its name. If that was here, its process tells; if it was on
    another host, the lock: it is asked for an instant, and shared, since a driver that starts at
    that instant finds it taken.
    """
    if not paths.driver.exists() or (holder := _holder(paths.driver)) == _UNKNOWN:
        return False
    if holder.endswith(f" on {socket.gethostname()[:100]}"):
        return True
    try:
        no_link(paths.lock)
        with paths.lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, UsageError):
        return False
    return False


def _holder(file: Path) -> str:
    """The process that holds the lock; a malformed name is not shown."""
    try:
        no_link(file)
        with file.open("rb") as content:
            name = json.loads(content.read(1000))
        host, pid = str(name["host"]), int(name["pid"])
        if host == socket.gethostname():
            os.kill(pid, 0)
    except PermissionError:
        pass
    except (OSError, *VALUE_ERRORS):
        return _UNKNOWN
    return f"process {pid} on {host[:100]}" if host.isprintable() else _UNKNOWN
