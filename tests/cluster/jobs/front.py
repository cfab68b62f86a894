"""A server on loopback that records what it is sent: a proxy, or one that redirects."""

from __future__ import annotations

import contextlib
import socket
import threading


class Front:
    """Records every byte of its clients, and passes it on.

    Args:
        target: the `(host, port)` that everything goes to; None answers nothing but redirects.
        redirects: requests whose path ends in a key are answered with a redirect to its value.
    """

    def __init__(self, target=None, redirects=None):
        self.received = b""
        self._target = target
        self._redirects = redirects or {}
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            head = client.recv(1 << 16)
            self.received += head
            path = head.split(b" ", 2)[1].decode()
            for ending, location in self._redirects.items():
                if path.endswith(ending):
                    answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n"
                    client.sendall(f"{answer}Content-Length: 0\r\n\r\n".encode())
                    return
            if self._target is None:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(self._target) as server:
                server.sendall(head)
                back = threading.Thread(target=self._pass_on, args=(server, client), daemon=True)
                back.start()
                self._pass_on(client, server, record=True)
                back.join()

    def _pass_on(self, source, sink, record=False):
        with contextlib.suppress(OSError):
            while block := source.recv(1 << 16):
                if record:
                    self.received += block
                sink.sendall(block)
            sink.shutdown(socket.SHUT_WR)
