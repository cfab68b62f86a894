"""Workers killed for memory: by Ray's own monitor, or by the kernel."""

from __future__ import annotations

import logging
import time

from ray.exceptions import OutOfMemoryError, RayActorError

from xortune.cluster.control_groups import memory_kills
from xortune.cluster.ray_internals import failures_translated
from xortune.process_wide import Counted

_log = logging.getLogger("xortune")
# Recorded with a trial, so in the same words for Python and the shell.
_REMEDY = "fewer workers or smaller packs need less"
# A worker whose death Ray reports now may have been killed by the kernel this long ago.
_RECENT_S = 10.0


class KilledForMemory(RayActorError):  # type: ignore[misc]
    """Ray's monitor killed a worker, because its node ran low on memory."""


class MemoryWatch:
    """Tells which workers died for lack of memory.

    The kernel's count is that of this machine. Its kills on another node become known when the
    next worker starts there.
    """

    def __init__(self) -> None:
        self._elsewhere: dict[str, int] = {}
        self._before = self._latest = memory_kills()
        self._looked = time.monotonic()
        self._warned = False

    def look(self) -> None:
        """Forgets what the kernel killed long ago. To be called now and then by the driver."""
        now = time.monotonic()
        if now - self._looked >= _RECENT_S:
            self._looked = now
            self._before, self._latest = self._latest, memory_kills()

    def started(self, place: str, kills: int | None) -> None:
        """Takes the report of a worker that starts.

        Args:
            place: its node.
            kills: the number of processes that the node's kernel has ever killed for memory.
        """
        if kills is None:
            return
        if kills > self._elsewhere.setdefault(place, kills):
            self._warn(
                "the kernel of a node has killed workers, or other processes, for memory: "
                f"{_REMEDY}."
            )
        self._elsewhere[place] = kills

    def reason(self, error: Exception | None, here: bool) -> str | None:
        """A few words if a worker died for lack of memory; None if it did not.

        Args:
            error: Ray's error for the worker's death.
            here: whether it died on this machine.
        """
        if isinstance(error, KilledForMemory | OutOfMemoryError):
            killer = "Ray, whose node ran low on memory"
        elif here and isinstance(error, RayActorError) and self._kernel_killed():
            killer = "the kernel, which was out of memory"
        else:
            return None
        reason = f"its worker was killed by {killer}; {_REMEDY}"
        self._warn(f"a worker is lost: {reason}. Its pack is trained again.")
        return reason

    def _warn(self, words: str) -> None:
        if not self._warned:
            self._warned = True
            _log.warning(words)

    def _kernel_killed(self) -> bool:
        now = memory_kills()
        return now is not None and self._before is not None and now > self._before


def _for_memory(error: Exception) -> Exception:
    if isinstance(error, OutOfMemoryError):
        return KilledForMemory(error_msg=str(error))
    return error


memory_kills_noticed = Counted(lambda: failures_translated(_for_memory))
"""While entered, Tune treats a worker killed by Ray's memory monitor as dead.

By itself it ends its loop with an error.
"""
