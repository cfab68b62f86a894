"""A Ray to run on: one of our own, quiet and short-lived, or a cluster that is there already."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xortune.errors import UsageError
from xortune.settings import RunOptions

_PACKAGE = Path(__file__).resolve().parent.parent
_ANSWER_S = 10
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
        UsageError: no Ray answers at the address.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if options.address is not None and options.address != "auto":
        _check_answers(options.address)
    import ray

    if not options.verbose:
        logging.getLogger("ray").setLevel(logging.CRITICAL)
    if ray.is_initialized():
        if options.address is not None:
            raise UsageError(
                f"--address {options.address}: this process uses a Ray already. Call "
                "ray.shutdown() first, or leave --address out to use that one."
            )
        yield False
        return
    thread = threading.Thread(target=meanwhile, daemon=True)
    thread.start()
    try:
        if options.address is None:
            _init(
                options,
                address="local",
                num_cpus=options.workers,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE_BYTES,
            )
        else:
            _join(options.address, options)
        thread.join()
        if options.verbose:
            yield True
        else:
            with _muted():
                yield True
    finally:
        ray.shutdown()


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
        # The cluster's nodes need torch, but not this package: it is sent there.
        _init(options, address=address, runtime_env={"py_modules": [str(_PACKAGE)]})
    except (ConnectionError, RuntimeError, ValueError) as error:
        hint = (
            "Start one with: ray start --head"
            if address == "auto"
            else "Run this on a node of that cluster."
        )
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"--address {address}: no Ray to join here. {hint} ({reason})") from None


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


def _check_answers(address: str) -> None:
    """Ray itself would wait for minutes, and then end the process."""
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and "/" not in address):
        raise UsageError(
            f"--address {address}: expected host:port, or auto for the cluster on this machine."
        )
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_S).close()
        complaint = _complaint(address)
    except (OSError, OverflowError, subprocess.TimeoutExpired):
        complaint = "nothing answers"
    if "AuthenticationError" in complaint:
        raise UsageError(
            f"--address {address}: that Ray asks for a token. Set RAY_AUTH_MODE=token, and "
            "RAY_AUTH_TOKEN unless this machine has the token in ~/.ray/auth_token."
        )
    if complaint:
        raise UsageError(
            f"--address {address}: no Ray answers there. Start one with "
            f"'ray start --head --port {port}', or leave --address out for a local one."
        )


def _complaint(address: str) -> str:
    """What `ray health-check` has against the cluster; in a process that can be ended."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_S, check=False)
    return done.stderr if done.returncode else ""
