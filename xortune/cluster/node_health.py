"""The nodes of a cluster, and their record of lost packs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Set

from xortune.cluster.ray_internals import alive_nodes

_FRESH_S = 1.0
# A head that is busier than this is asked again later; one that has gone is noticed elsewhere.
_ANSWER_S = 2.0
# After losing this many packs in a row a node is given no more, while there are others.
_BAD = 3


class Nodes:
    """The nodes of the cluster that this process is connected to, as of a second ago at most."""

    def __init__(self) -> None:
        self._alive: dict[str, dict[str, float]] = {}
        self._looked = -_FRESH_S

    def alive(self, at_once: bool = False) -> Mapping[str, Mapping[str, float]]:
        """The resources of each node, by Ray's id of the node.

        Args:
            at_once: look even if the last look was less than a second ago.
        """
        now = time.monotonic()
        if at_once or now - self._looked >= _FRESH_S:
            self._looked = now
            found = alive_nodes(_ANSWER_S)
            self._alive = self._alive if found is None else found
        return self._alive

    def resources(self, at_once: bool = False) -> Mapping[str, float]:
        """The resources of all nodes together."""
        total: Counter[str] = Counter()
        for resources in self.alive(at_once).values():
            total.update(resources)
        return total


class NodeHealth:
    """Keeps packs away from nodes on which they are lost.

    Nodes go by Ray's ids.

    Args:
        nodes: the nodes of the cluster.
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._losses: Counter[str] = Counter()
        self._banned: set[str] = set()

    def trained(self, node: str | None) -> None:
        """Notes that a pack was trained on a node."""
        if node is not None:
            self._losses.pop(node, None)

    def lost(self, node: str | None) -> None:
        """Notes that a pack was lost on a node."""
        if node is not None:
            self._losses[node] += 1

    def ban(self, node: str | None) -> bool:
        """Keeps packs from a node for good; returns whether it was not banned before."""
        if node is None or node in self._banned:
            return False
        self._banned.add(node)
        return True

    def is_banned(self, node: str | None) -> bool:
        return node in self._banned

    def any_left(self) -> bool:
        """Whether some node is not banned."""
        return not self._usable() <= self._banned

    def bad(self) -> frozenset[str]:
        """The nodes that should have no workers; those that lose packs never leave none."""
        usable = self._usable()
        banned = usable & self._banned
        bad = banned | usable & {node for node, losses in self._losses.items() if losses >= _BAD}
        return banned if bad == usable else bad

    def to_avoid(self, lost_at: Set[str]) -> frozenset[str]:
        """The nodes to keep a pack from that was lost on some nodes before.

        Never all nodes: a pack that was lost on each may go to any that is not bad.
        """
        bad = self.bad()
        every = bad | (self._usable() & lost_at)
        return bad if every == self._usable() else every

    def _usable(self) -> frozenset[str]:
        """The nodes with a CPU."""
        alive = self._nodes.alive()
        return frozenset(node for node, resources in alive.items() if resources.get("CPU"))
