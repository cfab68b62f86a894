"""Whether the Ray that a search runs on is still there.

Ray ends the process that uses it when its store has gone, and when its head has been away for a
minute. It also waits: for a head that has gone, Tune waits a minute for each worker that it
dismisses. So a search looks for itself, much more often, and calls a Ray that has gone no more.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from xortune.cluster import ray_internals
from xortune.errors import XortuneError
from xortune.interrupt import descendants, kill

_LOOK_S = 0.25
_ANSWER_S = 1.0
# A cluster's head may be restarted, and then continues.
_HEAD_AWAY_S = 20.0


@dataclass(frozen=True)
class Connection:
    """A search's connection to Ray.

    Attributes:
        liveness: whether that Ray is still there.
        ends: whether it ends with this search; if so, no further search can use it.
    """

    liveness: Liveness
    ends: Callable[[], bool]

    def __reduce__(self) -> tuple[Any, ...]:
        """Tune sends the runner's method to workers, which do not need this."""
        return object, ()


class Liveness:
    """Checks whether Ray is still there.

    Args:
        own: whether this process started it, for searches alone.
    """

    def __init__(self, own: bool) -> None:
        self._own = own
        self._node = ray_internals.global_node()
        self._looked = -_LOOK_S
        self._lost: str | None = None
        self._head_seen = time.monotonic()

    def lost(self, at_once: bool = False) -> str | None:
        """The part of Ray that has gone, in words; None while Ray is there.

        Args:
            at_once: look even if the last look was less than a quarter of a second ago. At a Ray
                that a search has started it always looks, since that costs nothing.
        """
        now = time.monotonic()
        if self._lost is None and (at_once or self._own or now - self._looked >= _LOOK_S):
            self._looked = now
            self._lost = self._look()
        return self._lost

    def _look(self) -> str | None:
        node = ray_internals.global_node()
        if node is None or node is not self._node or not ray_internals.is_connected():
            return "it was shut down"
        started = ray_internals.processes(node)
        parts = {name: started.get(name, []) for name in ("gcs_server", "raylet")}
        ended = [name for name, part in parts.items() if any(p.poll() is not None for p in part)]
        if ended and self._own:
            # Otherwise it tells this process that the raylet has gone, and then Ray ends it.
            for process in parts["gcs_server"]:
                process.kill()
        if ended:
            return f"its {ended[0]} has ended"
        if not started:
            return self._look_at_cluster(node)
        return None

    def _look_at_cluster(self, node: Any) -> str | None:
        if not _answers(socket.AF_UNIX, ray_internals.raylet_socket(node)):
            return "its raylet on this machine has ended"
        address = ray_internals.head_address(node)
        host, _, port = address.rpartition(":")
        now = time.monotonic()
        if _answers(
            socket.AF_INET6 if ":" in host else socket.AF_INET, (host.strip("[]"), int(port))
        ):
            self._head_seen = now
        if now - self._head_seen > _HEAD_AWAY_S:
            return f"its head at {address} has ended"
        return None


def gone(lost: str) -> XortuneError:
    """The error for a Ray that has gone, with the words of `Liveness.lost`."""
    return XortuneError(f"Ray has gone in the middle of the search: {lost}.")


def end_quickly() -> None:
    """Has Ray's processes killed when it is shut down: they were started to ignore SIGTERM."""
    node = ray_internals.global_node()
    started = {} if node is None else ray_internals.processes(node)
    for process in (process for found in started.values() for process in found):
        setattr(process, "terminate", partial(_kill_with_its_own, process))  # noqa: B010


def _kill_with_its_own(process: subprocess.Popen[bytes]) -> None:
    """Kills a process and its descendants, which notice late: some after half a minute."""
    its_own = list(descendants(process.pid))
    process.kill()
    kill(its_own)


def _answers(family: int, address: Any) -> bool:
    """Whether anything listens there. It may be too busy to answer in time."""
    try:
        with socket.socket(family) as line:
            line.settimeout(_ANSWER_S)
            line.connect(address)
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    except OSError:
        return True
    return True
