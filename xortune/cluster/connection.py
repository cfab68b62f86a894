"""A Ray to run on: one of our own, quiet and short-lived, or a cluster that is there already."""

from __future__ import annotations

import atexit
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from xortune.cluster.authentication import (
    Guard,
    guard_at,
    known_token,
    own_token,
    reread,
    shows_token,
)
from xortune.cluster.limits import usable_cpus
from xortune.cluster.pulse import Connection, Pulse, end_quickly
from xortune.cluster.ray_errors import in_one_line
from xortune.cluster.ray_folder import ray_folder
from xortune.cluster.sharing import InUseError, Shared
from xortune.cluster.surroundings import muted, signals_left_alone, surroundings
from xortune.errors import UsageError, XortuneError
from xortune.settings import RunOptions
from xortune.wording import option

_log = logging.getLogger("xortune")
_PACKAGE = Path(__file__).resolve().parent.parent
_ANSWER_S = 5
_OBJECT_STORE_BYTES = 200_000_000
_EXIT_S = 30
_LAST_PORT = 65_535
_RECONNECT = "RAY_gcs_rpc_server_reconnect_timeout_s"

_shared: Shared[Pulse] = Shared()


@contextmanager
def connected(
    options: RunOptions, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[Connection]:
    """Ray, connected for as long as the context lasts.

    A Ray that this process has initialised before is used as it is and left running. What one
    search has started or joined the others of this process use as well, and the last ends it.

    Args:
        options: which Ray, and how.
        meanwhile: called in a thread of its own while Ray starts, which is mostly waiting.

    Raises:
        UsageError: no Ray answers at the address, it wants another token, or another search of
            this process uses another Ray.
        XortuneError: the Ray that was started does not ask for its token.
    """
    if not _shared.in_use and _is_users():
        if options.address is not None:
            raise UsageError(
                f"{option('address')} {options.address}: this process uses a Ray already. Call "
                f"ray.shutdown() first, or leave {option('address')} out to use that one."
            )
        with surroundings(options.verbose):
            if guard_at(_head()) is Guard.OPEN:
                _warn_open("the Ray of this process", _head())
            yield Connection(Pulse(own=False), lambda: False)
        return
    try:
        with _shared.using(options.address or "", lambda: _ray(options, meanwhile)) as use:
            yield Connection(use.value, use.is_last)
    except InUseError as error:
        raise UsageError(_other_ray(options.address, str(error.key))) from None


def _is_users() -> bool:
    """Whether Ray is initialised, though not by a search: without importing it."""
    worker = sys.modules.get("ray._private.worker")
    return (
        worker is not None and hasattr(worker, "global_worker") and worker.global_worker.connected
    )


def _other_ray(wanted: str | None, used: str) -> str:
    ends = "Wait until it has ended, search in another process"
    if not used:
        return (
            f"{option('address')} {wanted}: another search of this process uses a Ray of its own. "
            f"{ends}, or leave {option('address')} out to use that one."
        )
    given = (
        f"{option('address')} {wanted}" if wanted else f"a Ray of its own (no {option('address')})"
    )
    return (
        f"{given}: another search of this process uses the Ray at {used}. {ends}, or give "
        f"{option('address', used)} here, too."
    )


@contextmanager
def _ray(options: RunOptions, meanwhile: Callable[[], None]) -> Iterator[Pulse]:
    """Ray, in the thread that keeps it."""
    if options.address is not None and options.address != "auto":
        _check_joinable(options.address, options.address)
    # In the environment as it is: some modules keep for good what they read there.
    before = set(os.environ)
    import ray

    for name in set(os.environ) - before:
        # What Ray leaves there when it is imported has served its purpose.
        del os.environ[name]
    atexit.register(_shared.settle, _EXIT_S)
    thread = threading.Thread(target=meanwhile, daemon=True)
    thread.start()
    with (
        surroundings(options.verbose),
        _patient(),
        _own_surroundings() if options.address is None else nullcontext() as folder,
        nullcontext() if options.verbose else muted(),
    ):
        try:
            if folder is not None:
                _start(options, folder)
            elif options.address is not None:
                _join(options.address, options)
            thread.join()
            yield Pulse(own=options.address is None)
        finally:
            end_quickly()
            # Of a Ray that has gone there may be little left to end.
            with suppress(Exception, SystemExit):
                ray.shutdown()


@contextmanager
def _patient() -> Iterator[None]:
    """Ray ends a process whose head has been away for a minute: a search notices before."""
    before = os.environ.get(_RECONNECT)
    os.environ[_RECONNECT] = "600"
    reread()
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_RECONNECT, None)
        else:
            os.environ[_RECONNECT] = before
        reread()


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
            # Another search of this process may share it, and want more workers.
            num_cpus=max(options.workers or 0, usable_cpus()),
            _temp_dir=folder,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
        )
    if guard_at(_head()) is not Guard.REFUSED:
        raise XortuneError(
            "the Ray that was started answers without a token, so that anybody who reaches this "
            f"machine could run code on it. Use Ray 2.52 or later, or {option('runner', 'inline')}."
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
            f"{option('address')} {address}: no Ray to join here. {hint} ({in_one_line(error)})"
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

    with signals_left_alone():
        ray.init(
            log_to_driver=options.verbose,
            logging_level=logging.INFO if options.verbose else logging.CRITICAL,
            configure_logging=options.verbose,
            **arguments,
        )


def _check_joinable(given: str, address: str) -> None:
    """Ray itself would wait for minutes, and then end the process.

    Args:
        given: the address as the user gave it, which may be `auto`.
        address: where that is.
    """
    host, colon, port = address.rpartition(":")
    place = f"{option('address')} {given}"
    if given != address == os.environ.get("RAY_ADDRESS"):
        place += f", which is RAY_ADDRESS={address}"
    is_port = port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= _LAST_PORT
    if not (colon and host and is_port and "/" not in address):
        raise UsageError(f"{place}: expected host:port, or auto for the cluster on this machine.")
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_S).close()
        guard = guard_at(address)
    except (OSError, OverflowError):
        guard = Guard.NO_RAY
    if guard is Guard.NO_RAY:
        raise UsageError(
            f"{place}: no Ray answers there. Start one with "
            f"'ray start --head --port {port}', or leave {option('address')} out for a local one."
        )
    if guard is Guard.REFUSED:
        _check_token(given, address)
    if guard is Guard.OPEN:
        _warn_open(f"{place}: the cluster", address)


def _check_token(given: str, address: str) -> None:
    token = known_token() if shows_token(given) else None
    if token is None:
        raise UsageError(
            f"{option('address')} {given}: that Ray asks for a token. Set RAY_AUTH_MODE=token, and "
            "RAY_AUTH_TOKEN unless this machine has the token in ~/.ray/auth_token."
        )
    if guard_at(address, token) is Guard.REFUSED:
        raise UsageError(
            f"{option('address')} {given}: that Ray has another token than this machine. Set "
            "RAY_AUTH_TOKEN to the one it was started with: ray get-auth-token, on its head, "
            "prints it."
        )


def _warn_open(what: str, address: str) -> None:
    _log.warning(
        f"{what} asks for no token: whoever reaches {address} can run code on it. Start it "
        "with RAY_AUTH_MODE=token, and a token from: ray get-auth-token --generate"
    )
