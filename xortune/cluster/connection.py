"""A Ray to run on: one of our own, quiet and short-lived, or a cluster that is there already."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from xortune.cluster.authentication import Guard, guard_at, known_token, own_token, shows_token
from xortune.cluster.ray_errors import in_one_line
from xortune.cluster.ray_folder import ray_folder
from xortune.errors import UsageError, XortuneError
from xortune.limits import usable_cpus
from xortune.settings import RunOptions

_log = logging.getLogger("xortune")
_PACKAGE = Path(__file__).resolve().parent.parent
_ANSWER_S = 5
_OBJECT_STORE_BYTES = 200_000_000

# Read by Ray when it is imported or started.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_DEDUP_LOGS": "0",
    # The loggers write three files for every trial, and are what makes Tune slow.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # Signals are the search's own business.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    # Tune's own state is of no use: the ledger has everything.
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    "TUNE_WARN_THRESHOLD_S": "1000000",
    # Else Tune starts one actor after the other.
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}


@contextmanager
def connected(options: RunOptions, meanwhile: Callable[[], None] = lambda: None) -> Iterator[bool]:
    """Ray, connected for as long as the context lasts.

    A Ray that this process has initialised before is used as it is and left running.

    Args:
        options: which Ray, and how.
        meanwhile: called in a thread of its own while Ray starts, which is mostly waiting.

    Yields:
        Whether it goes away with the context.

    Raises:
        UsageError: no Ray answers at the address, or it wants another token.
        XortuneError: the Ray that was started does not ask for its token.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if options.address is not None and options.address != "auto":
        _check_joinable(options.address, options.address)
    import ray

    if not options.verbose:
        logging.getLogger("ray").setLevel(logging.CRITICAL)
    if ray.is_initialized():
        if options.address is not None:
            raise UsageError(
                f"--address {options.address}: this process uses a Ray already. Call "
                "ray.shutdown() first, or leave --address out to use that one."
            )
        if guard_at(_head()) is Guard.OPEN:
            _warn_open("the Ray of this process", _head())
        yield False
        return
    thread = threading.Thread(target=meanwhile, daemon=True)
    thread.start()
    with _own_surroundings() if options.address is None else nullcontext() as folder:
        try:
            if folder is not None:
                _start(options, folder)
            elif options.address is not None:
                _join(options.address, options)
            thread.join()
            with nullcontext() if options.verbose else _muted():
                yield True
        finally:
            ray.shutdown()


@contextmanager
def _own_surroundings() -> Iterator[str]:
    """The token and the folder of a Ray of our own."""
    with own_token(), ray_folder() as folder:
        yield folder


def _start(options: RunOptions, folder: str) -> None:
    """A Ray of our own: on this machine's loopback alone, and behind a token all the same."""
    with _on_loopback():
        _init(
            options,
            address="local",
            num_cpus=options.workers or usable_cpus(),
            _temp_dir=folder,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
        )
    if guard_at(_head()) is not Guard.REFUSED:
        raise XortuneError(
            "the Ray that was started answers without a token, so that anybody who reaches this "
            "machine could run code on it. Use Ray 2.52 or later, or --runner inline."
        )


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Makes Ray take 127.0.0.1 for this node, as it does by itself on macOS and Windows."""
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _head() -> str:
    import ray

    return str(ray.get_runtime_context().gcs_address)


@contextmanager
def _muted() -> Iterator[None]:
    """Ray prints the end of every worker on standard output, whatever `log_to_driver` says."""
    from ray._private import worker

    printing = worker.print_to_stdstream
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = printing


def _join(address: str, options: RunOptions) -> None:
    try:
        found = address
        if address == "auto":
            found = _found_here()
            _check_joinable(address, found)
        with _on_loopback() if _only_on_loopback(found) else nullcontext():
            # The cluster's nodes need NumPy or PyTorch, but not this package: it is sent there.
            _init(options, address=address, runtime_env={"py_modules": [str(_PACKAGE)]})
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        hint = (
            "Start one with: ray start --head"
            if address == "auto"
            else "Run this on a node of that cluster."
        )
        raise UsageError(
            f"--address {address}: no Ray to join here. {hint} ({in_one_line(error)})"
        ) from None


def _found_here() -> str:
    """The `host:port` that Ray takes `auto` for."""
    from ray._private import services

    return str(services.get_ray_address_from_environment("auto", None))


def _only_on_loopback(address: str) -> bool:
    """Whether a Ray listens on this machine's loopback alone; Ray would look elsewhere."""
    from ray._private import services

    host, _, port = address.rpartition(":")
    if host not in ("127.0.0.1", "localhost"):
        return False
    return guard_at(f"{services.get_node_ip_address()}:{port}") is Guard.NO_RAY


def _init(options: RunOptions, **arguments: Any) -> None:
    import ray

    with _signals_left_alone():
        ray.init(
            log_to_driver=options.verbose,
            logging_level=logging.INFO if options.verbose else logging.CRITICAL,
            configure_logging=options.verbose,
            **arguments,
        )


@contextmanager
def _signals_left_alone() -> Iterator[None]:
    """Keeps the driver's handler of SIGTERM, and SIGHUP from Ray's processes.

    Ray replaces that handler twice, by one in Python and by one in C++ that ends the process
    three seconds later. Its processes share a terminal with the driver: what closes it is the
    driver's business, which stops them in order. They inherit what is blocked in the thread
    that starts them; SIGINT Ray blocks by itself.
    """
    from ray._private import utils

    setting = utils.set_sigterm_handler
    utils.set_sigterm_handler = lambda handler: None
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    handler, timed = signal.getsignal(signal.SIGTERM), signal.getitimer(signal.ITIMER_REAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        utils.set_sigterm_handler = setting
        if threading.current_thread() is threading.main_thread() and handler is not None:
            signal.signal(signal.SIGTERM, handler)
        if timed == (0, 0):
            signal.alarm(0)


def _check_joinable(given: str, address: str) -> None:
    """Ray itself would wait for minutes, and then end the process.

    Args:
        given: the address as the user gave it, which may be `auto`.
        address: where that is.
    """
    host, colon, port = address.rpartition(":")
    place = f"--address {given}"
    if given != address == os.environ.get("RAY_ADDRESS"):
        place += f", which is RAY_ADDRESS={address}"
    if not (colon and host and port.isascii() and port.isdigit() and "/" not in address):
        raise UsageError(f"{place}: expected host:port, or auto for the cluster on this machine.")
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_S).close()
        guard = guard_at(address)
    except (OSError, OverflowError):
        guard = Guard.NO_RAY
    if guard is Guard.NO_RAY:
        raise UsageError(
            f"{place}: no Ray answers there. Start one with "
            f"'ray start --head --port {port}', or leave --address out for a local one."
        )
    if guard is Guard.REFUSED:
        _check_token(given, address)
    if guard is Guard.OPEN:
        _warn_open(f"{place}: the cluster", address)


def _check_token(given: str, address: str) -> None:
    token = known_token() if shows_token(given) else None
    if token is None:
        raise UsageError(
            f"--address {given}: that Ray asks for a token. Set RAY_AUTH_MODE=token, and "
            "RAY_AUTH_TOKEN unless this machine has the token in ~/.ray/auth_token."
        )
    if guard_at(address, token) is Guard.REFUSED:
        raise UsageError(
            f"--address {given}: that Ray has another token than this machine. Set "
            "RAY_AUTH_TOKEN to the one it was started with: ray get-auth-token, on its head, "
            "prints it."
        )


def _warn_open(what: str, address: str) -> None:
    _log.warning(
        f"{what} asks for no token: whoever reaches {address} can run code on it. Start it "
        "with RAY_AUTH_MODE=token, and a token from: ray get-auth-token --generate"
    )
