"""Serves optuna-dashboard over the ledgers of studies."""

from __future__ import annotations

import importlib.util
import socket
import socketserver
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from xortune.dashboard.guard import Guard
from xortune.dashboard.storage import READ_ONLY, LedgerStorage
from xortune.errors import UsageError
from xortune.paths import StudyPaths
from xortune.wording import option


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """A dashboard that listens; `serve_forever` answers until it is interrupted."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int) -> None:
        self.address_family, address = _resolved(host, port)
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            raise UsageError(
                f"{option('port')} {port}: {host} cannot be listened on: {error.strerror}. "
                f"Choose another {option('port')}; 0 takes a free one."
            ) from None
        self._host = host

    def server_bind(self) -> None:
        # Without looking up the host's full name, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        host, self.server_port = self.server_address[:2]
        self.server_name = str(host)
        self.setup_environ()

    @property
    def url(self) -> str:
        """The address of its first page."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.server_port}/dashboard"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Does nothing: a browser that leaves early is no fault."""


class _Handler(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Does nothing: requests are not worth a line."""

    def address_string(self) -> str:
        return str(self.client_address[0])


@contextmanager
def serving(
    find: Callable[[], Iterable[StudyPaths]],
    say: Callable[[str], object],
    host: str,
    port: int,
) -> Iterator[Server]:
    """A dashboard of studies, closed when the block ends.

    Args:
        find: finds the studies; called again and again.
        say: called with a message on a study that cannot be shown.
        host: the address to listen on.
        port: its port; 0 for a free one.

    Raises:
        UsageError: optuna-dashboard is not installed, or nothing can listen there.
    """
    if importlib.util.find_spec("optuna_dashboard") is None:
        raise UsageError(
            "the dashboard needs optuna-dashboard. Install it with: "
            "pip install 'xortune[dashboard]'"
        )
    import optuna
    from optuna_dashboard import wsgi

    verbosity = optuna.logging.get_verbosity()
    with Server(host, port) as server:
        server.set_app(Guard(wsgi(LedgerStorage(find, say)), host, READ_ONLY))
        # Its warnings are about plots, which say the same.
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            yield server
        finally:
            optuna.logging.set_verbosity(verbosity)


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise UsageError(
            f"{option('host')} {host!r}: is not an address of this machine. "
            f"Use {option('host', '127.0.0.1')}."
        ) from None
    family, _, _, _, address = found[0]
    return family, address
