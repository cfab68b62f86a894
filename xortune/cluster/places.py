"""The nodes of a cluster, and how packs fare on them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable

_FRESH_S = 1.0
# So many packs in a row lost on a node, and it is given no more while there are others.
_BAD = 3


class Places:
    """Keeps packs away from nodes on which they are lost.

    Nodes go by Ray's id of them.
    """

    def __init__(self) -> None:
        self._losses: Counter[str] = Counter()
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

    def none_but(self, avoid: frozenset[str]) -> bool:
        """Whether there are no other nodes now than those to avoid."""
        self._look()
        return bool(avoid) and self._alive <= avoid

    def to_avoid(self, lost_at: Iterable[str]) -> frozenset[str]:
        """The nodes to keep a pack from, that was lost at some before.

        Some node always remains: if it was lost on each, they are all to be tried again.
        """
        self._look()
        bad = self._alive & {place for place, losses in self._losses.items() if losses >= _BAD}
        if bad == self._alive:
            bad = frozenset()
        every = bad | self._alive.intersection(lost_at)
        return bad if every == self._alive else every

    def _look(self) -> None:
        import ray

        now = time.monotonic()
        if now - self._seen >= _FRESH_S:
            self._seen = now
            nodes = ray.nodes()
            self._alive = frozenset(
                n["NodeID"] for n in nodes if n["Alive"] and n["Resources"].get("CPU")
            )
