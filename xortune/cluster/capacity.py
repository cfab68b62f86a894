"""Room for workers on a cluster: requests for it, and a warning when there is none."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import ray
from ray.tune import PlacementGroupFactory
from ray.util import placement_group_table

from xortune.errors import UsageError
from xortune.wording import option

_log = logging.getLogger("xortune")
_rooms: WeakValueDictionary[str, Room] = WeakValueDictionary()
# The label that Ray gives every node.
_NODE_ID = "ray.io/node-id"
# Without a worker for this long, check whether there is room. If there is, a worker has this long
# to start.
_SILENT_S, _START_S = 10.0, 120.0


class Room:
    """The resources that each worker asks of one node, and whether the cluster has them.

    Tune pickles the functions that it asks for resources. Unpickled in this process, a room is
    still the same object.

    Args:
        needs: the resources of a worker, by device.
    """

    def __init__(self, needs: Mapping[str, Mapping[str, float]]) -> None:
        self._needs = needs
        self._asked: dict[str, set[str]] = {device: set() for device in needs}
        self._since: dict[str, float] = {}
        self._said: set[str] = set()
        self._key = uuid.uuid4().hex
        _rooms[self._key] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return _room, (self._key,)

    def place(self, device: str, avoid: Sequence[str]) -> PlacementGroupFactory:
        """The request for one worker's resources, for Tune to make.

        Args:
            device: the worker's device.
            avoid: the ids of nodes that it must not be on.
        """
        where = {}
        if avoid:
            where["bundle_label_selector"] = [{_NODE_ID: f"!in({','.join(avoid)})"}]
        return _Place([dict(self._needs[device])], self._asked[device], **where)

    def look(self, waiting: Iterable[str]) -> None:
        """Warns once if no worker of a device has started for a while, and says what is missing.

        Args:
            waiting: the devices for which workers were requested, and none has started.
        """
        now = time.monotonic()
        self._since = {device: self._since.get(device, now) for device in waiting}
        self._said &= self._since.keys()
        for device, since in self._since.items():
            if device in self._said or now - since < _SILENT_S:
                continue
            if not self._has_room(device):
                self._said.add(device)
                _log.warning(_lack(device, self._needs[device]))
            elif now - since >= _START_S:
                self._said.add(device)
                _log.warning(
                    f"no worker has started in {_START_S:.0f} s, though Ray has room for it. "
                    "Check the machine's disk and memory. The search waits."
                )

    def _has_room(self, device: str) -> bool:
        """Whether Ray has reserved resources for a worker of this search."""
        groups = placement_group_table()
        states = (groups[group]["state"] for group in self._asked[device] & groups.keys())
        return "CREATED" in states


def _room(key: str) -> Room | None:
    return _rooms.get(key)


class _Place(PlacementGroupFactory):  # type: ignore[misc]
    """Notes the ids of the placement groups that it requests."""

    def __init__(self, bundles: list[dict[str, float]], asked: set[str], **where: Any) -> None:
        super().__init__(bundles, **where)
        self._asked = asked

    def to_placement_group(self) -> Any:
        group = super().to_placement_group()
        self._asked.add(group.id.hex())
        return group


def check_room(needs: Mapping[str, Mapping[str, float]]) -> None:
    """Checks that a Ray which no node will join can ever have a worker.

    Raises:
        UsageError: no node has the resources that a worker needs.
    """
    nodes = _nodes()
    for device, need in needs.items():
        if not any(_fits(need, node) for node in nodes):
            total = _sum(nodes, need)
            raise UsageError(
                f"the Ray of this process has no room for a worker on {device}: each takes "
                f"{_listed(need)}, and it has {_listed(total)}. Call ray.shutdown() first, or "
                f"call ray.init() with as much, or search with {option('runner', 'inline')}."
            )


def _lack(device: str, need: Mapping[str, float]) -> str:
    nodes = _nodes()
    total, free = _sum(nodes, need), ray.available_resources()
    parts = (f"{name} {free.get(name, 0):g} of {total[name]:g}" for name in need)
    words = (
        f"no worker on {device} has started in {_SILENT_S:.0f} s: each asks for {_listed(need)} "
        f"on one node, and this is free: {', '.join(parts)}"
    )
    if any(_fits(need, node) for node in nodes):
        return f"{words}. The search starts when there is room; Ctrl-C stops it."
    return (
        f"{words}; no node has that much, even if all of it were free. The search starts when "
        "such a node joins; Ctrl-C stops it."
    )


def _nodes() -> list[Mapping[str, float]]:
    """The resources of every node."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _fits(need: Mapping[str, float], node: Mapping[str, float]) -> bool:
    return all(node.get(name, 0) >= amount for name, amount in need.items())


def _sum(nodes: Sequence[Mapping[str, float]], need: Mapping[str, float]) -> dict[str, float]:
    return {name: sum(node.get(name, 0) for node in nodes) for name in need}


def _listed(resources: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {amount:g}" for name, amount in resources.items())
