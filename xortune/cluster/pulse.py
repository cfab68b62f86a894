"""Whether the Ray that a search runs on is still there.

Ray ends the process that uses it when its store is gone, and when its head has been gone for a
minute. A search looks for itself, much more often, and keeps its hands off a Ray that has gone.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from xortune.errors import XortuneError
from xortune.interrupt import descendants, kill

_LOOK_S = 0.25
_ANSWER_S = 1.0
# A cluster's head may be started again, and then goes on.
_HEAD_AWAY_S = 20.0
_OURS = ("gcs_server", "raylet")


@dataclass(frozen=True)
class Connection:
    """A search's connection to Ray.

    Attributes:
        pulse: whether that Ray is still there.
        ends: whether it goes away with this search; if so, it takes no further one.
    """

    pulse: Pulse
    ends: Callable[[], bool]

    def __reduce__(self) -> tuple[Any, ...]:
        """Tune sends the runner's method to workers, which have no use for this."""
        return object, ()


class Pulse:
    """Feels whether Ray is still there.

    Args:
        own: it is this process that has started it, for searches alone.
    """

    def __init__(self, own: bool) -> None:
        from ray._private import worker

        self._own = own
        self._node = worker._global_node
        self._looked = -_LOOK_S
        self._lost: str | None = None
        self._head_seen = time.monotonic()

    def lost(self, at_once: bool = False) -> str | None:
        """What has gone, in words; None while Ray is there.

        Args:
            at_once: look even if that was less than a quarter of a second ago.
        """
        now = time.monotonic()
        if self._lost is None and (at_once or now - self._looked >= _LOOK_S):
            self._looked = now
            self._lost = self._look()
        return self._lost

    def _look(self) -> str | None:
        from ray._private import worker

        node = worker._global_node
        # Ray by itself starts another when it is called after it was shut down.
        if node is None or node is not self._node or not worker.global_worker.connected:
            return "it was shut down"
        ended = [
            name for name in _OURS if any(p.poll() is not None for p in _processes(node, name))
        ]
        if ended and self._own:
            # Else it tells this process that the raylet has gone, upon which Ray ends it.
            for process in _processes(node, "gcs_server"):
                process.kill()
        if ended:
            return f"its {ended[0]} has ended"
        if not node.all_processes:
            return self._look_at_cluster(node)
        return None

    def _look_at_cluster(self, node: Any) -> str | None:
        if not _answers(socket.AF_UNIX, node.raylet_socket_name):
            return "its raylet on this machine has ended"
        host, _, port = node.gcs_address.rpartition(":")
        now = time.monotonic()
        if _answers(
            socket.AF_INET6 if ":" in host else socket.AF_INET, (host.strip("[]"), int(port))
        ):
            self._head_seen = now
        if now - self._head_seen > _HEAD_AWAY_S:
            return f"its head at {node.gcs_address} has ended"
        return None


def gone(lost: str) -> XortuneError:
    """The error for a Ray that has gone, with what `Pulse.lost` says of it."""
    return XortuneError(f"Ray has gone in the middle of the search: {lost}.")


def end_quickly() -> None:
    """Has Ray's processes killed when it is shut down: they were told to disregard SIGTERM."""
    from ray._private import worker

    node = worker._global_node
    for name in node.all_processes if node is not None else ():
        for process in _processes(node, name):
            setattr(process, "terminate", partial(_kill_with_its_own, process))  # noqa: B010


def _kill_with_its_own(process: subprocess.Popen[bytes]) -> None:
    """What it has started would notice late: after half a minute, some of it."""
    its_own = list(descendants(process.pid))
    process.kill()
    kill(its_own)


def _processes(node: Any, name: str) -> list[subprocess.Popen[bytes]]:
    return [info.process for info in node.all_processes.get(name, ())]


def _answers(family: int, address: Any) -> bool:
    """False where nothing listens; who is merely silent may be busy."""
    try:
        with socket.socket(family) as line:
            line.settimeout(_ANSWER_S)
            line.connect(address)
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    except OSError:
        return True
    return True
