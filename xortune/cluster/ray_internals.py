"""Every part of Ray, Ray Tune and Ray's job server that is not documented, in one place.

The rest of the package uses documented API only; a test holds it to that. All of this is alike
in Ray 2.52, the oldest supported, and in 2.60; check it against the source of a newer one.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xortune.cluster.environment import variables

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    # The loggers write three files for every trial, which is the slowest part of Tune.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # Signals are handled by the search.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    # Tune's own state is of no use: the ledger has everything.
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    # Otherwise Tune starts one actor after the other.
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # Otherwise Tune asks the head for its resources now and then, and waits for one that has gone.
    "TUNE_STATE_REFRESH_PERIOD": "1000000",
}
"""Variables for a search, none of which is read while Ray is imported: that would outlast it."""

DEBUGGER = ("PYTHONBREAKPOINT", "ray.util.rpdb._driver_set_trace")
"""A variable that Ray sets when it connects (`ray._private.worker.connect`), and its value."""

STOP_WAIT_VARIABLE = "RAY_JOB_STOP_WAIT_TIME_S"
"""A job's variable: seconds from SIGTERM to SIGKILL when it is stopped (`JobSupervisor`)."""

CHECK_ALIVE = "/ray.rpc.NodeInfoGcsService/CheckAlive"
"""The gRPC method that a cluster's head answers with nothing but that it is there."""

# Called by Tune with what a worker's end raised.
_FAILURES = ("_actor_task_failed", "_actor_start_failed")


def folder_option(folder: str) -> dict[str, str]:
    """The argument of `ray.init` for the folder of a Ray that is started: `_temp_dir`."""
    return {"_temp_dir": folder}


@contextmanager
def on_loopback() -> Iterator[None]:
    """While entered, Ray takes 127.0.0.1 for this node, as it always does on macOS and Windows.

    Leans on `ray_constants.ENABLE_RAY_CLUSTER`, which `services.get_node_ip_address` reads.
    """
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def settings_for_a_search(own: bool) -> Iterator[None]:
    """While entered, Ray's C++ (`RayConfig`) does not wait for, or end with, a Ray that has gone.

    Args:
        own: for a Ray that is started here, of which nothing but the search uses metrics or events.
    """
    # By default, Ray ends a process whose head has been away for a minute. A search notices before.
    settings = {"RAY_gcs_rpc_server_reconnect_timeout_s": "600"}
    if own:
        # `ray.shutdown` waits 10 s for a raylet that has gone to take the last metrics ...
        settings["RAY_enable_metrics_collection"] = "false"
        # ... and 5 s for a head that has gone to take the last events (not in 2.52).
        settings["RAY_task_events_shutdown_flush_timeout_ms"] = "0"
    try:
        with variables(settings):
            reread_environment()
            yield
    finally:
        reread_environment()


def reread_environment() -> None:
    """Makes Ray read its settings and its token from the environment again.

    Leans on `Config.initialize` and `AuthenticationTokenLoader.reset_cache` of `ray._raylet`.
    """
    from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


def address_of_auto() -> str:
    """The `host:port` that Ray takes `auto` for: `services.get_ray_address_from_environment`."""
    from ray._private import services

    return str(services.get_ray_address_from_environment("auto", None))


def node_ip() -> str:
    """This machine's address on the network, as Ray sees it: `services.get_node_ip_address`."""
    from ray._private import services

    return str(services.get_node_ip_address())


def is_connected() -> bool:
    """Whether this process is connected to a Ray, found out without importing it.

    Leans on `global_worker.connected`; `ray.is_initialized` counts Ray Client's connections too.
    """
    worker = sys.modules.get("ray._private.worker")
    return (
        worker is not None and hasattr(worker, "global_worker") and worker.global_worker.connected
    )


def global_node() -> Any:
    """The `ray._private.node.Node` of this process; None where Ray was not initialised.

    Ray starts another when it is called after it was shut down. That is another object.
    """
    from ray._private import worker

    return worker._global_node


def is_head(node: Any) -> bool:
    """Whether this process started the node's Ray: `Node.is_head`."""
    return bool(node.is_head())


def alive_nodes(seconds: float) -> dict[str, dict[str, float]] | None:
    """The resources of each node of the cluster, by its id; None without an answer in time.

    `ray.nodes` and `ray.cluster_resources` have no limit, and wait for ten minutes for a head
    that has gone. Leans on `global_worker.gcs_client` and `GcsNodeInfo`.

    Args:
        seconds: for how long to wait for the head, at least.

    Raises:
        RayError: Ray was shut down. Most other calls would start a new one.
    """
    from ray._private import worker
    from ray.exceptions import RayError, RaySystemError

    client = getattr(worker.global_worker, "gcs_client", None)
    if client is None:
        raise RaySystemError("it was shut down")
    try:
        found = client.get_all_node_info(timeout=seconds)
    except RayError:
        return None
    nodes = {node_id.hex(): info for node_id, info in found.items()}
    return {key: dict(info.resources_total) for key, info in nodes.items() if not info.state}


def processes(node: Any) -> dict[str, list[subprocess.Popen[bytes]]]:
    """The processes of a node that this process started, by name: `Node.all_processes`.

    Among the names are `gcs_server` and `raylet`. Empty for a node that was joined.
    """
    return {name: [info.process for info in found] for name, found in node.all_processes.items()}


def raylet_socket(node: Any) -> str:
    """The path of the socket of a node's raylet: `Node.raylet_socket_name`."""
    return str(node.raylet_socket_name)


def head_address(node: Any) -> str:
    """The `host:port` of a node's head: `Node.gcs_address`."""
    return str(node.gcs_address)


@contextmanager
def settings_kept() -> Iterator[None]:
    """Puts back what Ray and Tune keep in their modules, and has no lines of logs merged.

    Leans on `ray_logging.RAY_DEDUP_LOGS`, on `worker._post_init_hooks`, where `with_parameters`
    leaves a `_ParameterRegistry` with every search's parameters, and on the `verbosity` of
    `ray.tune.utils.log`.
    """
    from ray._private import ray_logging, worker

    hooks, merging = list(worker._post_init_hooks), ray_logging.RAY_DEDUP_LOGS
    verbosity = getattr(sys.modules.get("ray.tune.utils.log"), "verbosity", None)
    ray_logging.RAY_DEDUP_LOGS = False
    try:
        yield
    finally:
        worker._post_init_hooks[:] = [
            hook for hook in worker._post_init_hooks if hook in hooks or not _of_parameters(hook)
        ]
        ray_logging.RAY_DEDUP_LOGS = merging
        tune_log: Any = sys.modules.get("ray.tune.utils.log")
        if tune_log is not None:
            loudest = tune_log.Verbosity.V3_TRIAL_DETAILS
            tune_log.verbosity = loudest if verbosity is None else verbosity


def _of_parameters(hook: Any) -> bool:
    return type(getattr(hook, "__self__", None)).__name__ == "_ParameterRegistry"


@contextmanager
def muted() -> Iterator[None]:
    """While entered, Ray does not print the end of every worker on standard output.

    It does so whatever `log_to_driver` says. Replaces `worker.print_to_stdstream`.
    """
    from ray._private import worker

    printing = worker.print_to_stdstream
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = printing


@contextmanager
def sigterm_left_alone() -> Iterator[None]:
    """While entered, `ray.init` sets no handler of SIGTERM: `utils.set_sigterm_handler`."""
    from ray._private import utils

    setting = utils.set_sigterm_handler
    utils.set_sigterm_handler = lambda handler: None
    try:
        yield
    finally:
        utils.set_sigterm_handler = setting


@contextmanager
def failures_translated(translate: Callable[[Exception], Exception]) -> Iterator[None]:
    """While entered, Tune hears of a worker's end by the exception that `translate` returns.

    It ends its loop at exceptions that it does not expect. Replaces the methods of
    `RayActorManager` that are called with them.
    """
    from ray.air.execution._internal.actor_manager import RayActorManager

    def translated(method: Any) -> Any:
        def wrapper(*args: Any, exception: Exception, **rest: Any) -> Any:
            return method(*args, exception=translate(exception), **rest)

        return wrapper

    before = {name: getattr(RayActorManager, name) for name in _FAILURES}
    for name, method in before.items():
        setattr(RayActorManager, name, translated(method))
    try:
        yield
    finally:
        for name, method in before.items():
            setattr(RayActorManager, name, method)


def actor_of(trial: Any) -> Any:
    """The handle of the actor of a Tune trial that runs: its `temporary_state.ray_actor`."""
    return trial.temporary_state.ray_actor


def error_of(trial: Any) -> Exception | None:
    """The exception of a Tune trial, which Tune has just written to its `pickled_error_file`."""
    from ray import cloudpickle

    file = trial.pickled_error_file
    if file is None or not Path(file).exists():
        return None
    error: Exception = cloudpickle.loads(Path(file).read_bytes())
    return error


def psutil() -> Any:
    """The `psutil` that Ray brings along, as `ray._private.utils` imports it."""
    from ray._private import utils

    return utils.psutil


def uploads_unlogged() -> None:
    """Raises the level of the loggers that Ray's job client tells of every upload."""
    for name in ("dashboard.modules.dashboard_sdk", "dashboard.modules.job.sdk"):
        logging.getLogger(f"ray.{name}").setLevel(logging.WARNING)
    for name in ("packaging", "working_dir"):
        logging.getLogger(f"ray._private.runtime_env.{name}").setLevel(logging.WARNING)


def job_client_class() -> Any:
    """Ray's `JobSubmissionClient`, whose requests are all made by a method `request`.

    That is to be defined by a subclass: it takes the method, the endpoint, and `data` and `json`
    as `requests` does, and returns a `requests.Response`. Leans on `SubmissionClient._do_request`.
    """
    from ray.job_submission import JobSubmissionClient

    class RequestingClient(JobSubmissionClient):  # type: ignore[misc]
        def _do_request(
            self,
            method: str,
            endpoint: str,
            *,
            data: bytes | None = None,
            json_data: dict[str, Any] | None = None,
            **_: Any,
        ) -> Any:
            return self.request(method, endpoint, data=data, json=json_data)

        @property
        def ssl_context(self) -> Any:
            """For aiohttp: what the certificates of an https server are checked with."""
            return self._ssl_context or True

    return RequestingClient
