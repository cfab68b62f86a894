"""Adapters between Ray Tune and the search: packs go out, outcomes come in."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayActorError
from ray.tune import Callback, ProgressReporter, Stopper
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.search import Searcher

from xortune.cluster.capacity import Room
from xortune.cluster.memory_kills import MemoryWatch
from xortune.cluster.node_health import NodeHealth, Nodes
from xortune.cluster.ray_internals import actor_of, error_of
from xortune.cluster.session.liveness import Connection, Liveness, gone
from xortune.cluster.trainable import DeviceError
from xortune.errors import NoEngineError, XortuneError
from xortune.loop.packing import patience
from xortune.loop.search import Search
from xortune.trial import Pack
from xortune.wording import option

_log = logging.getLogger("xortune")

# A worker without a pack, or one that is still importing PyTorch, must answer within this.
_ANSWER_S = 120.0
# Give up after this many workers in a row die before starting.
_HOPELESS = 8
# When this loop itself was away for this long, workers may have answered meanwhile.
_AWAY_S = 1.0


class _NotPickled:
    """Tune pickles its components for its own checkpoints. The ledger replaces those."""

    def __reduce__(self) -> tuple[Any, ...]:
        return object, ()


class SilentReporter(_NotPickled, ProgressReporter):  # type: ignore[misc]
    """Reports nothing. Tune's own reporters clear a notebook's cell, and the progress with it."""

    def should_report(self, trials: list[TuneTrial], done: bool = False) -> bool:
        return False


@dataclass(eq=False)
class _Worker:
    """A worker: one Tune trial, from its start to its end.

    Attributes:
        device: the device that it trains on.
        since: the `time.monotonic` of its last answer or task.
        actor: its actor; None until it has started.
        place: its node, likewise.
        pack: the pack that it is training.
    """

    device: str
    since: float
    actor: Any = None
    place: str | None = None
    pack: Pack | None = None


@dataclass(frozen=True)
class Cluster:
    """The cluster that a search runs on.

    Attributes:
        liveness: whether its Ray is still there.
        nodes: its nodes.
        room: the resources for workers.
        slots: gives the number of workers that there can be now, by device.
    """

    liveness: Liveness
    nodes: Nodes
    room: Room
    slots: Callable[[], Mapping[str, int]]


class PackSearcher(_NotPickled, Searcher):  # type: ignore[misc]
    """Has Tune start workers, one Tune trial each, and hands out the packs of a search to them.

    It has no state worth saving: the truth is in the ledger.

    Args:
        search: the search.
        cluster: the cluster that it runs on.
        pack_timeout: seconds after which a pack's worker counts as hung; None derives it.

    Attributes:
        failure: the exception of the search itself. Tune would hide it in an error of its own.
    """

    def __init__(self, search: Search, cluster: Cluster, pack_timeout: float | None) -> None:
        super().__init__()
        self.search = search
        self.failure: BaseException | None = None
        self._cluster = cluster
        self._memory = MemoryWatch()
        self._pack_timeout = pack_timeout
        self._workers: dict[str, _Worker] = {}
        self._waiting: dict[str, list[Pack]] = {device: [] for device in search.devices}
        self._health = NodeHealth(cluster.nodes)
        self._looked = time.monotonic()
        self._stillborn = 0

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The configuration of one more worker, if there is a pack for it."""
        device = None
        with self.noting_failure():
            device = next(filter(self._wants_worker, self._waiting), None)
        if self.search.finished or self.failure is not None:
            return str(Searcher.FINISHED)
        if device is None:
            return None
        self._workers[trial_id] = _Worker(device, time.monotonic())
        return {
            "device": device,
            "avoid": sorted(self._health.bad()),
        }

    @contextmanager
    def noting_failure(self) -> Iterator[None]:
        """Keeps the exception of the search, for `SearchStopper` to end Tune's loop."""
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:
            self.failure = self.failure or error

    def take(self, trial: TuneTrial, result: Mapping[str, Any], outcomes: Any) -> None:
        """Takes the result of a worker's step, and gives the worker its next pack."""
        worker = self._workers.get(trial.trial_id)
        if worker is None:
            return  # It counts as lost.
        worker.since = time.monotonic()
        self._stillborn = 0
        if "place" in result:
            worker.actor = actor_of(trial)
            worker.place = result["place"]
            self._memory.started(result["place"], result["memory_kills"])
            self._check_bits(worker, result["reference"], trial.node_ip)
        pack = worker.pack
        if outcomes is not None and pack is not None:
            worker.pack = None
            self._health.trained(worker.place)
            self.search.finish(pack, outcomes)
        if worker.pack is None and not self._health.is_banned(worker.place):
            self._employ(worker)

    def lose(self, trial_id: str, reason: str) -> None:
        """Tells the search that a worker is lost, with its pack, unless that is known already."""
        worker = self._workers.pop(trial_id, None)
        if worker is None:
            return
        if worker.pack is not None:
            self._health.lost(worker.place)
            self.search.lost(worker.pack, reason, worker.place)
        elif worker.place is None:
            self._stillborn += 1
            if self._stillborn >= _HOPELESS:
                raise XortuneError(
                    f"{_HOPELESS} workers in a row died while starting: {reason}. Check the "
                    "machine, and resume the study; "
                    f"{option('verbose', True)} shows Ray's messages."
                )

    def look_around(self) -> None:
        """Checks whether there is room for workers, and memory."""
        self._memory.look()
        crews = {device: self._crew(device) for device in self._waiting}
        self._cluster.room.look(
            device
            for device, crew in crews.items()
            if crew and all(worker.place is None for worker in crew)
        )

    def end_hung(self) -> None:
        """Ends the workers that have not answered for too long: their packs are lost."""
        now = time.monotonic()
        away, self._looked = now - self._looked, now
        for trial_id, worker in list(self._workers.items()):
            if away > _AWAY_S:
                worker.since += away
            limit = self._limit(worker)
            if now - worker.since > limit:
                # Returns at once; the worker's node ends its process when it can.
                ray.kill(worker.actor)
                self.lose(trial_id, f"no answer in {limit:.3g} s")

    def last_words(self, trial: TuneTrial) -> str:
        """The cause of a worker's end, in a few words."""
        error = error_of(trial)
        worker = self._workers.get(trial.trial_id)
        place = None if worker is None else worker.place
        here = place in (None, ray.get_runtime_context().get_node_id())
        if (reason := self._memory.reason(error, here)) is not None:
            return reason
        if error is None or isinstance(error, RayActorError):
            return "its worker died"
        return str(error).strip().splitlines()[-1].strip()

    def let_all_go(self) -> None:
        """Ends all workers, even in the middle of a pack: others may wait for their resources."""
        while self._workers:
            _, worker = self._workers.popitem()
            if worker.actor is not None:
                ray.kill(worker.actor)

    def dismisses(self, trial_id: str) -> bool:
        """Whether a worker is to end: it counts as lost, or its node keeps losing packs."""
        worker = self._workers.get(trial_id)
        return worker is None or (worker.pack is None and worker.place in self._health.bad())

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Forgets a worker that was dismissed. Errors are handled by `OutcomeCallback`.

        Tune calls this before it cleans up after a worker. Where Ray has gone, it would wait for a
        minute.
        """
        if not error:
            self._workers.pop(trial_id, None)
        elif self._cluster.liveness.lost(at_once=True) is not None:
            raise SearchOver

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Outcomes are taken by `OutcomeCallback`."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""

    def _crew(self, device: str) -> list[_Worker]:
        return [worker for worker in self._workers.values() if worker.device == device]

    def _check_bits(self, worker: _Worker, reference: str | None, host: str) -> None:
        """Gives no packs to a node that rounds differently from the study's first worker.

        Raises:
            XortuneError: no node is left.
        """
        if reference is None or self.search.admits(worker.device, reference):
            return
        if self._health.ban(worker.place):
            _log.warning(
                f"node {host} has another kind of processor: on it the engine "
                f"{self.search.engine.name} rounds differently from the study's first worker. It "
                f"gets no packs. With {option('mixed', True)} it would: then bits differ between "
                "kinds of CPU, and the study says so."
            )
        if not self._health.any_left():
            raise XortuneError(
                "the study was trained on another kind of processor, and every node rounds "
                "differently. Resume it on nodes like those it began on, or with "
                f"{option('mixed', True)}: then bits differ between kinds of CPU, and the study "
                "says so."
            )

    def _wants_worker(self, device: str) -> bool:
        """Whether there are more packs of a device than workers, and room for another."""
        slots = self._cluster.slots()[device]
        crew = self._crew(device)
        out = sum(worker.pack is not None for worker in crew)
        waiting = self._waiting[device]
        while out + len(waiting) < slots:
            pack = self.search.next_pack(device)
            if pack is None:
                break
            waiting.append(pack)
        return len(crew) < min(slots, out + len(waiting))

    def _employ(self, worker: _Worker) -> None:
        """Gives a worker the first pack that it may have, if there is one."""
        waiting = self._waiting[worker.device]
        if not waiting:
            pack = self.search.next_pack(worker.device)
            waiting.extend([pack] if pack else [])
        pack = next((pack for pack in waiting if self._may_have(worker, pack)), None)
        if pack is not None:
            waiting.remove(pack)
            worker.pack = pack
            worker.actor.take.remote(pack)

    def _may_have(self, worker: _Worker, pack: Pack) -> bool:
        """Whether a worker may have a pack.

        A pack is kept from nodes on which it was lost, as long as there are workers elsewhere.
        """
        avoid = self._health.to_avoid(pack.avoid)
        others = (other.place for other in self._crew(worker.device) if other is not worker)
        return worker.place not in avoid or all(place in avoid for place in others)

    def _limit(self, worker: _Worker) -> float:
        if worker.actor is None:
            return math.inf  # Without room, it may wait for ever.
        if worker.pack is None:
            return _ANSWER_S
        search, pack = self.search, worker.pack
        return self._pack_timeout or patience(pack, search.cost, search.engine.pace(pack.device))


class OutcomeCallback(_NotPickled, Callback):  # type: ignore[misc]
    """Brings outcomes to the search, or the reason why there are none.

    The search hands out lost packs again. Tune's own retries would give them to a worker of the
    same kind, on the same node, a fixed number of times.
    """

    def __init__(self, searcher: PackSearcher) -> None:
        self._searcher = searcher

    def on_trial_result(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, result: Any, **info: Any
    ) -> None:
        # Taken out, so that Tune does not keep it.
        outcomes = result.pop("outcomes", None)
        with self._searcher.noting_failure():
            self._searcher.take(trial, result, outcomes)

    def on_trial_error(
        self, iteration: int, trials: list[TuneTrial], trial: TuneTrial, **info: Any
    ) -> None:
        with self._searcher.noting_failure():
            _check_worker(trial)
            self._searcher.lose(trial.trial_id, self._searcher.last_words(trial))


class SearchStopper(_NotPickled, Stopper):  # type: ignore[misc]
    """Called by Tune between any two events: the point at which a search stops.

    If Ray is shut down right afterwards, or has gone, it raises SearchOver. Otherwise Tune would
    wait for its actors.

    Args:
        searcher: the searcher.
        connection: the connection to Ray.
        begun: called in every round of Tune's loop, so first when the loop has begun.
    """

    def __init__(
        self, searcher: PackSearcher, connection: Connection, begun: Callable[[], None]
    ) -> None:
        self._begun = begun
        self._searcher = searcher
        self._connection = connection

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return self._searcher.dismisses(trial_id)

    def stop_all(self) -> bool:
        self._begun()
        lost = self._connection.liveness.lost()
        with self._searcher.noting_failure():
            self._searcher.search.heartbeat()
            if lost is not None:
                # An error that Ray raised meanwhile says less.
                self._searcher.failure = None
                raise gone(lost)
            self._searcher.look_around()
            self._searcher.end_hung()
            self._searcher.search.spare_time()
        failed = self._searcher.failure is not None
        over = failed or self._searcher.search.finished
        if over and (lost is not None or self._connection.ends()):
            raise SearchOver
        if failed:
            self._searcher.let_all_go()
        return over


class SearchOver(BaseException):
    """Leaves Tune's loop. Not an Exception: Tune would clean up after that."""


def _check_worker(trial: TuneTrial) -> None:
    """Ends the search if a worker's machine lacks what the study needs: no retry would help."""
    cause = getattr(error_of(trial), "cause", None)
    if isinstance(cause, NoEngineError):
        where = f" on {trial.node_ip}" if trial.node_ip else ""
        raise XortuneError(
            f"a worker{where} cannot run the study's engine: {str(cause).rstrip('.')}. Search on "
            f"workers like this machine, or with another {option('engine')}."
        )
    if isinstance(cause, DeviceError):
        raise XortuneError(
            f"a worker on {trial.node_ip} has no GPU, though its node declares one: PyTorch "
            "finds none there. Correct the node's --num-gpus, or search with "
            f"{option('device', 'cpu')}."
        )
