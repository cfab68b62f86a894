"""Workers that were killed for memory: by Ray's own monitor, or by the kernel."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.air.execution._internal.actor_manager import RayActorManager
from ray.exceptions import OutOfMemoryError, RayActorError

from xortune.cluster.limits import memory_kills

_log = logging.getLogger("xortune")
# Recorded with a trial, so the same whoever calls.
_REMEDY = "fewer workers or smaller packs need less"
# The kernel's kills of this long ago may be those of a worker of whose death Ray tells now.
_RECENT_S = 10.0
# Called by Tune with what a worker's end raised.
_TOLD = ("_actor_task_failed", "_actor_start_failed")


class KilledForMemory(RayActorError):  # type: ignore[misc]
    """Ray's monitor killed a worker, since its node ran low on memory."""


class MemoryWatch:
    """Tells which deaths of workers memory is to blame for.

    The kernel's count is this machine's. What it kills on another node is known when the next
    worker begins there.
    """

    def __init__(self) -> None:
        self._elsewhere: dict[str, int] = {}
        self._before = self._latest = memory_kills()
        self._looked = time.monotonic()
        self._warned = False

    def look(self) -> None:
        """For the driver to call now and then: forgets what the kernel killed long ago."""
        now = time.monotonic()
        if now - self._looked >= _RECENT_S:
            self._looked = now
            self._before, self._latest = self._latest, memory_kills()

    def began(self, place: str, kills: int | None) -> None:
        """Takes what a worker that begins says of its node.

        Args:
            place: the node.
            kills: how many processes its kernel has ever killed there for memory.
        """
        if kills is None:
            return
        if kills > self._elsewhere.setdefault(place, kills):
            self._warn(
                f"the kernel of a node has killed workers, or others beside them, for memory: "
                f"{_REMEDY}."
            )
        self._elsewhere[place] = kills

    def reason(self, error: Exception | None, here: bool) -> str | None:
        """A few words where memory is to blame; None where it is not.

        Args:
            error: what Ray says of the worker's death.
            here: whether that was on this machine.
        """
        if isinstance(error, KilledForMemory | OutOfMemoryError):
            killer = "Ray, whose node ran low on memory"
        elif here and isinstance(error, RayActorError) and self._kernel_killed():
            killer = "the kernel, which was out of memory"
        else:
            return None
        reason = f"its worker was killed by {killer}; {_REMEDY}"
        self._warn(f"a worker is lost: {reason}. What it trained is trained again.")
        return reason

    def _warn(self, words: str) -> None:
        if not self._warned:
            self._warned = True
            _log.warning(words)

    def _kernel_killed(self) -> bool:
        now = memory_kills()
        return now is not None and self._before is not None and now > self._before


class _Hearing:
    """How many searches of this process are in Tune's loop."""

    lock = threading.Lock()
    searches = 0
    methods = {name: getattr(RayActorManager, name) for name in _TOLD}  # noqa: RUF012


@contextmanager
def memory_kills_heard() -> Iterator[None]:
    """While entered, Tune takes a worker that Ray's monitor has killed for a dead one.

    By itself, it ends its loop with an error at what it does not expect.
    """
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    with _Hearing.lock:
        _Hearing.searches += change
        for name, method in _Hearing.methods.items():
            setattr(RayActorManager, name, _heard(method) if _Hearing.searches else method)


def _heard(method: Any) -> Any:
    def wrapper(*args: Any, exception: Exception, **rest: Any) -> Any:
        if isinstance(exception, OutOfMemoryError):
            exception = KilledForMemory(error_msg=str(exception))
        return method(*args, exception=exception, **rest)

    return wrapper
