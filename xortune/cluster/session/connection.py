"""A Ray to run on: one that the search starts, quiet and short-lived, or a running cluster."""

from __future__ import annotations

import atexit
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from xortune.cluster import ray_internals
from xortune.cluster.authentication import Guard, guard_at, known_token, own_token, shows_token
from xortune.cluster.control_groups import usable_cpus
from xortune.cluster.ray_errors import in_one_line
from xortune.cluster.session.folder import ray_folder
from xortune.cluster.session.liveness import Connection, Liveness, end_quickly
from xortune.cluster.session.process_state import process_state, signals_left_alone
from xortune.cluster.session.shared import InUseError, Shared
from xortune.errors import UsageError, XortuneError
from xortune.settings import RunOptions
from xortune.wording import option

_log = logging.getLogger("xortune")
_PACKAGE = Path(__file__).resolve().parents[2]
_ANSWER_S = 5
_OBJECT_STORE_BYTES = 200_000_000
_EXIT_S = 30
_LAST_PORT = 65_535

_shared: Shared[Liveness] = Shared()


@contextmanager
def connected(
    options: RunOptions, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[Connection]:
    """Ray, connected for as long as the context lasts.

    A Ray that this process initialised before is used as it is and left running. A Ray that one
    search started or joined is used by the other searches of this process too, and ends with the
    last of them.

    Args:
        options: which Ray, and how.
        meanwhile: called in another thread while Ray starts, which is mostly waiting.

    Raises:
        UsageError: no Ray answers at the address, it asks for another token, or another search
            of this process uses another Ray.
        XortuneError: the Ray that was started does not ask for its token.
    """
    if not _shared.in_use and ray_internals.is_connected():
        if options.address is not None:
            raise UsageError(
                f"{option('address')} {options.address}: this process uses a Ray already. Call "
                f"ray.shutdown() first, or leave {option('address')} out to use that one."
            )
        with process_state(options.verbose):
            if guard_at(_head()) is Guard.OPEN:
                _warn_open("the Ray of this process", _head())
            yield Connection(Liveness(own=False), lambda: False)
        return
    try:
        with _shared.using(options.address or "", lambda: _ray(options, meanwhile)) as use:
            yield Connection(use.value, use.is_last)
    except InUseError as error:
        raise UsageError(_other_ray(options.address, str(error.key))) from None


def _other_ray(wanted: str | None, used: str) -> str:
    ends = "Wait until it has ended, search in another process"
    if not used:
        return (
            f"{option('address')} {wanted}: another search of this process has started a Ray. "
            f"{ends}, or leave {option('address')} out to use that one."
        )
    given = (
        f"{option('address')} {wanted}" if wanted else f"a Ray to start (no {option('address')})"
    )
    return (
        f"{given}: another search of this process uses the Ray at {used}. {ends}, or give "
        f"{option('address', used)} here, too."
    )


@contextmanager
def _ray(options: RunOptions, meanwhile: Callable[[], None]) -> Iterator[Liveness]:
    """Ray, in the thread that keeps it."""
    if options.address is not None and options.address != "auto":
        _check_joinable(options.address, options.address)
    # In the environment as it is: some modules read it once and for all.
    before = set(os.environ)
    import ray

    for name in set(os.environ) - before:
        # Ray sets these for its import alone.
        del os.environ[name]
    atexit.register(_shared.settle, _EXIT_S)
    thread = threading.Thread(target=meanwhile, daemon=True)
    thread.start()
    with (
        process_state(options.verbose),
        ray_internals.settings_for_a_search(own=options.address is None),
        _token_and_folder() if options.address is None else nullcontext() as folder,
        nullcontext() if options.verbose else ray_internals.muted(),
    ):
        try:
            if folder is not None:
                _start(options, folder)
            elif options.address is not None:
                _join(options.address, options)
            thread.join()
            yield Liveness(own=options.address is None)
        finally:
            end_quickly()
            # It may fail where Ray has gone.
            with suppress(Exception, SystemExit):
                ray.shutdown()


@contextmanager
def _token_and_folder() -> Iterator[str]:
    """The token and the folder of a Ray that is started."""
    with own_token(), ray_folder() as folder:
        yield folder


def _start(options: RunOptions, folder: str) -> None:
    """Starts a Ray: on this machine's loopback alone, and behind a token all the same."""
    with ray_internals.on_loopback():
        _init(
            options,
            address="local",
            # Another search of this process may share it, with more workers.
            num_cpus=max(options.workers or 0, usable_cpus()),
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
            **ray_internals.folder_option(folder),
        )
    if guard_at(_head()) is not Guard.REFUSED:
        raise XortuneError(
            "the Ray that was started answers without a token, so that anyone who reaches this "
            f"machine could run code on it. Use Ray 2.52 or later, or {option('runner', 'inline')}."
        )


def _head() -> str:
    import ray

    return str(ray.get_runtime_context().gcs_address)


def _join(address: str, options: RunOptions) -> None:
    try:
        found = address
        if address == "auto":
            found = ray_internals.address_of_auto()
            _check_joinable(address, found)
        with ray_internals.on_loopback() if _only_on_loopback(found) else nullcontext():
            # The cluster's nodes need NumPy or PyTorch, but not this package: Ray sends it there.
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


def _only_on_loopback(address: str) -> bool:
    """Whether a Ray listens on this machine's loopback alone; Ray would look elsewhere."""
    host, _, port = address.rpartition(":")
    if host not in ("127.0.0.1", "localhost"):
        return False
    return guard_at(f"{ray_internals.node_ip()}:{port}") is Guard.NO_RAY


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
    """Raises UsageError where Ray would wait for minutes, and then end the process.

    Args:
        given: the address as the user gave it, which may be `auto`.
        address: the `host:port` that it stands for.
    """
    host, colon, port = address.rpartition(":")
    named = f"{option('address')} {given}"
    if given != address == os.environ.get("RAY_ADDRESS"):
        named += f", which is RAY_ADDRESS={address}"
    is_port = port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= _LAST_PORT
    if not (colon and host and is_port and "/" not in address):
        raise UsageError(f"{named}: expected host:port, or auto for the cluster on this machine.")
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_S).close()
        guard = guard_at(address)
    except (OSError, OverflowError):
        guard = Guard.NO_RAY
    if guard is Guard.NO_RAY:
        raise UsageError(
            f"{named}: no Ray answers there. Start one with "
            f"'ray start --head --port {port}', or leave {option('address')} out to start one here."
        )
    if guard is Guard.REFUSED:
        _check_token(given, address)
    if guard is Guard.OPEN:
        _warn_open(f"{named}: the cluster", address)


def _check_token(given: str, address: str) -> None:
    token = known_token() if shows_token(given) else None
    if token is None:
        raise UsageError(
            f"{option('address')} {given}: that Ray asks for a token. Set RAY_AUTH_MODE=token, and "
            "RAY_AUTH_TOKEN unless this machine has the token in ~/.ray/auth_token."
        )
    if guard_at(address, token) is Guard.REFUSED:
        raise UsageError(
            f"{option('address')} {given}: that Ray has a different token from this machine's. Set "
            "RAY_AUTH_TOKEN to the one it was started with: ray get-auth-token, on its head, "
            "prints it."
        )


def _warn_open(what: str, address: str) -> None:
    _log.warning(
        f"{what} asks for no token: anyone who reaches {address} can run code on it. Start it "
        "with RAY_AUTH_MODE=token, and a token from: ray get-auth-token --generate"
    )
