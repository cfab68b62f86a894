"""Stands before optuna-dashboard: refuses what it should not answer, and hides what would write."""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

Environment = dict[str, Any]
Application = Callable[[Environment, Any], Iterable[bytes]]
_READING = ("GET", "HEAD")
# What creates, renames, deletes and annotates. In rules of their own, since a browser ignores a
# rule that it does not understand.
_HIDDEN = (
    '[aria-label="rename study"]',
    '[aria-label="delete study"]',
    'button:has([data-testid="AddBoxIcon"])',
    'button:has([data-testid="EditIcon"])',
    'li:has([data-testid="RateReviewIcon"])',
)
_STYLE = (
    f"<style>{' '.join(f'{hidden} {{ display: none !important }}' for hidden in _HIDDEN)}</style>"
)
_HEAD_END = b"</head>"
# Never a part of the page, and never 304: a browser may know it from optuna-dashboard itself.
_UNASKED = ("HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE")
_CHANGED = ("content-length", "last-modified", "etag", "accept-ranges")


class Guard:
    """A WSGI application in front of optuna-dashboard.

    It passes on requests that read, and that name a host of this machine: a page from elsewhere can
    give its own name the address of this machine (DNS rebinding), and would then share the
    dashboard's origin. Buttons that would write are hidden, since their requests are refused.

    Args:
        application: optuna-dashboard.
        host: the one that the server listens on.
        refusal: the reason given to a request that would write.
    """

    def __init__(self, application: Application, host: str, refusal: str) -> None:
        self._application = application
        self._hosts = {host.lower(), "localhost", socket.gethostname().lower()}
        self._refusal = refusal

    def __call__(self, environ: Environment, start_response: Any) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", "")
        if not self._is_known(host):
            reason = f"the dashboard does not answer to the name {host!r:.100}."
            return _refused(start_response, reason)
        if environ["REQUEST_METHOD"] not in _READING:
            return _refused(start_response, self._refusal)
        path = environ.get("PATH_INFO", "").rstrip("/")
        if path == "/dashboard" or path.startswith("/dashboard/"):
            return _without_buttons(self._application, environ, start_response)
        return self._application(environ, start_response)

    def _is_known(self, host: str) -> bool:
        """Whether a Host header has a name of this machine, or an address, which cannot rebind."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
            if name in self._hosts:
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _refused(start_response: Any, reason: str) -> list[bytes]:
    # As optuna-dashboard words its own refusals.
    content = json.dumps({"reason": reason}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    start_response("403 Forbidden", headers)
    return [content]


def _without_buttons(
    application: Application, environ: Environment, start_response: Any
) -> list[bytes]:
    """The page, with a style that hides the buttons that would write."""
    asked = {key: value for key, value in environ.items() if key not in _UNASKED}
    answer: list[Any] = []
    blocks: Any = application(asked, lambda *found: answer.extend(found))
    try:
        content = b"".join(blocks)
    finally:
        getattr(blocks, "close", lambda: None)()
    content = content.replace(_HEAD_END, _STYLE.encode() + _HEAD_END, 1)
    status, headers = answer[:2]
    kept = [(name, value) for name, value in headers if name.lower() not in _CHANGED]
    start_response(status, [*kept, ("Content-Length", str(len(content)))])
    return [content]
