"""The nodes of a cluster, and how packs fare on them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Set

_FRESH_S = 1.0
# So many packs in a row lost on a node, and it is given no more while there are others.
_BAD = 3


class Places:
    """Keeps packs away from nodes on which they are lost.

    Nodes go by Ray's id of them.
    """

    def __init__(self) -> None:
        self._losses: Counter[str] = Counter()
        self._banned: set[str] = set()
        self._alive: frozenset[str] = frozenset()
        self._seen = -_FRESH_S

    def trained(self, place: str | None) -> None:
        """Notes that a pack was trained there."""
        if place is not None:
            self._losses.pop(place, None)

    def lost(self, place: str | None) -> None:
        """Notes that a pack was lost there."""
        if place is not None:
            self._losses[place] += 1

    def ban(self, place: str | None) -> bool:
        """Keeps a node from packs for ever; returns whether it was not banned before."""
        if place is None or place in self._banned:
            return False
        self._banned.add(place)
        return True

    def is_banned(self, place: str | None) -> bool:
        return place in self._banned

    def any_left(self) -> bool:
        """Whether some node is not banned."""
        return not self._look() <= self._banned

    def bad(self) -> frozenset[str]:
        """The nodes on which no worker should be; those that lose packs never leave none."""
        alive = self._look()
        banned = alive & self._banned
        bad = banned | alive & {place for place, losses in self._losses.items() if losses >= _BAD}
        return banned if bad == alive else bad

    def to_avoid(self, lost_at: Set[str]) -> frozenset[str]:
        """The nodes to keep a pack from, that was lost at some before.

        Some node always remains: if it was lost on each, they are all to be tried again.
        """
        bad = self.bad()
        every = bad | (self._look() & lost_at)
        return bad if every == self._look() else every

    def _look(self) -> frozenset[str]:
        """The nodes that are there, as of a second ago at most."""
        import ray

        now = time.monotonic()
        if now - self._seen >= _FRESH_S:
            self._seen = now
            self._alive = frozenset(
                node["NodeID"]
                for node in ray.nodes()
                if node["Alive"] and node["Resources"].get("CPU")
            )
        return self._alive
