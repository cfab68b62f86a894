"""Runs a search on Ray Tune."""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from xortune.cluster import ray_internals
from xortune.cluster.node_health import Nodes
from xortune.cluster.node_software import check_nodes
from xortune.cluster.ray_errors import in_one_line, said_plainly
from xortune.cluster.session.connection import connected
from xortune.cluster.session.folder import temporary_folder
from xortune.cluster.session.liveness import Connection, gone
from xortune.cluster.session.process_state import handler_of_sigusr1_kept
from xortune.engines.engine import Engine
from xortune.errors import UsageError, XortuneError
from xortune.loop.search import Search
from xortune.settings import RunOptions
from xortune.wording import option

# Before its loop begins, Tune registers trainables in a table that takes one thread at a time.
_BEGINNING = threading.Lock()


@contextmanager
def ray_runner(options: RunOptions, meanwhile: Callable[[], None]) -> Iterator[RayRunner]:
    """A runner on the Ray that the options name, connected for as long as the context lasts.

    Args:
        options: which Ray, and how to use it.
        meanwhile: imports what the search will need, in a thread, while Ray starts.

    Raises:
        UsageError: there is no such Ray, or it lacks what the options ask for.
        XortuneError: Ray fails. Its own errors do not leave this function.
    """

    def import_tune() -> None:
        # If it fails, it will fail again, visibly, in the main thread.
        with suppress(Exception):
            import xortune.cluster.searcher
            import xortune.cluster.trainable  # noqa: F401

            meanwhile()

    with ExitStack() as stack:
        with said_plainly(options.address):
            connection = stack.enter_context(connected(options, import_tune))
            runner = RayRunner(options, connection)
        yield runner


class RayRunner:
    """A runner whose workers are Ray actors that Ray Tune starts, places and replaces."""

    def __init__(self, options: RunOptions, connection: Connection) -> None:
        import ray

        self._options = options
        self._connection = connection
        self._scratch = temporary_folder()
        resources = ray.cluster_resources()
        self.device = _device(options, resources.get("GPU", 0))
        self._nodes = Nodes()
        self._slots = _slots(options, resources, self.device)
        self._needs = {device: _need(device, options.gpus_per_worker) for device in self._slots}
        if options.address is None:
            self._check_room()

    def _check_room(self) -> None:
        """Checks a Ray that this process started. Any other may still get nodes."""
        from xortune.cluster.capacity import check_room

        node = ray_internals.global_node()
        if node is not None and ray_internals.is_head(node):
            check_room(self._needs)

    @property
    def workers(self) -> int:
        return sum(self._slots.values())

    def check(self, engine: Engine) -> None:
        """Checks the nodes of a cluster. A Ray that was started here is like this process."""
        if self._options.address is not None:
            with said_plainly():
                check_nodes(self._options.address, self.device, engine)

    def _slots_now(self) -> Mapping[str, int]:
        """The number of workers that there can be, by device: nodes may join late, and leave.

        Always the same mapping, because the search cuts its packs by it.
        """
        resources = self._nodes.resources()
        if resources:
            self._slots.update(_slots(self._options, resources, self.device))
        return self._slots

    def run(self, search: Search) -> None:
        from ray import tune
        from ray.exceptions import RayError

        from xortune.cluster.capacity import Room
        from xortune.cluster.memory_kills import memory_kills_noticed
        from xortune.cluster.searcher import (
            Cluster,
            OutcomeCallback,
            PackSearcher,
            SearchOver,
            SearchStopper,
            SilentReporter,
        )
        from xortune.cluster.trainable import PackTrainable

        search.start(self._slots, self._options.pack_size, self._options.retries)
        if search.finished:
            return
        room = Room(self._needs)
        cluster = Cluster(self._connection.liveness, self._nodes, room, self._slots_now)
        searcher = PackSearcher(search, cluster, self._options.pack_timeout)
        # Tune knows trainables by name, and of two with one name only the second.
        mark = secrets.token_hex(4)
        named = type(f"PackTrainable_{mark}", (PackTrainable,), {})
        trainable = tune.with_parameters(named, engine=search.engine, plan=search.plan)

        def resources(config: Mapping[str, Any]) -> Any:
            return room.place(config["device"], config["avoid"])

        with (
            tempfile.TemporaryDirectory(prefix="xortune-", dir=self._scratch) as scratch,
            handler_of_sigusr1_kept(),
            memory_kills_noticed(),
            ExitStack() as one_by_one,
        ):
            one_by_one.enter_context(_BEGINNING)
            tuner = tune.Tuner(
                tune.with_resources(trainable, resources),
                tune_config=tune.TuneConfig(search_alg=searcher, num_samples=-1),
                run_config=tune.RunConfig(
                    name=f"packs-{mark}",
                    storage_path=scratch,
                    callbacks=[OutcomeCallback(searcher)],
                    stop=SearchStopper(searcher, self._connection, begun=one_by_one.close),
                    checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                    verbose=0,
                    progress_reporter=SilentReporter(),
                ),
            )
            try:
                tuner.fit()
            except SearchOver:
                pass
            except (Exception, SystemExit) as error:
                searcher.failure = searcher.failure or self._of_ray(error)
        if isinstance(searcher.failure, RayError):
            raise self._of_ray(searcher.failure)
        if searcher.failure is not None:
            raise searcher.failure
        if not search.finished:
            raise XortuneError(
                "Ray Tune stopped before the search was done. Resume the study, with "
                f"{option('verbose', True)} "
                "to see Ray's messages."
            )

    def _of_ray(self, error: BaseException) -> XortuneError:
        """The error for an exception of Ray, which may be SystemExit."""
        lost = self._connection.liveness.lost(at_once=True)
        if lost is not None:
            failure = gone(lost)
        else:
            failure = XortuneError(
                f"Ray failed in the middle of the search: {in_one_line(error)}. Resume the study, "
                f"with {option('verbose', True)} to see Ray's messages."
            )
        failure.__cause__ = error
        return failure


def _device(options: RunOptions, gpus: float) -> str:
    if options.device in ("cuda", "both") and not gpus:
        raise UsageError(
            f"{option('device')} {options.device}: this Ray has no GPU. "
            f"Use {option('device', 'cpu')}."
        )
    if options.device == "auto":
        return "cuda" if gpus else "cpu"
    return options.device


def _need(device: str, share: float) -> dict[str, float]:
    """The resources of a worker; each takes a CPU, also beside a GPU."""
    return {"CPU": 1, "GPU": share} if device == "cuda" else {"CPU": 1}


def _slots(options: RunOptions, resources: Mapping[str, float], device: str) -> dict[str, int]:
    """The number of workers that there can be at once, by device."""
    cpus = int(resources.get("CPU", 1))
    if device == "cpu":
        return {"cpu": options.workers or max(1, cpus)}
    on_gpu = max(1, min(cpus, int(resources.get("GPU", 0) / options.gpus_per_worker)))
    if device == "cuda":
        return {"cuda": options.workers or on_gpu}
    on_cpu = max(1, cpus - on_gpu)
    if options.workers is not None:
        on_gpu = min(on_gpu, max(1, options.workers - 1))
        on_cpu = max(1, options.workers - on_gpu)
    return {"cuda": on_gpu, "cpu": on_cpu}
