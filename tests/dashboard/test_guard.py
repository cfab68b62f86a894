"""What stands before optuna-dashboard passes on requests that read, from this machine's names."""

from __future__ import annotations

import io
import json
import socket
from typing import Any

import pytest

from xortune.dashboard.guard import Guard

PAGE = b"<html><head><title>x</title></head><body></body></html>"


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    headers = [("Content-Type", "text/html"), ("Content-Length", str(len(PAGE))), ("ETag", "e")]
    start_response("200 OK", [*headers, ("Content-Security-Policy", "default-src 'self'")])
    return [PAGE]


def ask(
    path: str = "/api/studies", host: str = "127.0.0.1:8080", method: str = "GET", **more: str
) -> tuple[str, dict[str, str], bytes]:
    """The status, the headers and the content of an answer."""
    told: list[Any] = []
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_HOST": host}
    guard = Guard(application, "lab.example", "it only reads")
    content = guard({**environ, **more}, lambda *found: told.extend(found))
    return told[0], dict(told[1]), b"".join(content)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080"),
        *("192.0.2.7:8080", "lab.example:8080", f"{socket.gethostname()}:8080"),
    ],
)
def test_names_of_this_machine_and_addresses_are_answered(host):
    assert ask(host=host)[0] == "200 OK"


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil"),
        *("127.0.0.1@evil.example", "[::1", "evil.example#127.0.0.1", "\r\n", "[]", "0x7f.1"),
    ],
)
@pytest.mark.parametrize("path", ["/api/studies", "/dashboard", "/static/bundle.js"])
def test_other_names_are_refused(host, path):
    status, headers, content = ask(path, host)
    assert (status, headers["Content-Type"]) == ("403 Forbidden", "application/json")
    assert "does not answer to the name" in json.loads(content)["reason"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", ""])
def test_what_would_write_is_refused_with_the_reason(method):
    status, _, content = ask(method=method, **{"wsgi.input": io.BytesIO(b"{}")})  # type: ignore[arg-type]
    assert status == "403 Forbidden"
    assert json.loads(content) == {"reason": "it only reads"}


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/", "/dashboard/studies/1"])
def test_a_page_hides_the_buttons_that_would_write(path):
    status, headers, content = ask(path)
    before, _, after = content.partition(b"<style>")
    rules, _, rest = after.partition(b"</style>")
    assert before + rest == PAGE
    assert b'[aria-label="delete study"] { display: none !important }' in rules
    assert (status, headers["Content-Length"]) == ("200 OK", str(len(content)))
    assert headers["Content-Security-Policy"] == "default-src 'self'"
    assert "ETag" not in headers


@pytest.mark.parametrize("path", ["/api/studies", "/static/bundle.js", "/dashboards", "/"])
def test_what_is_no_page_is_passed_on_unchanged(path):
    assert ask(path)[2] == PAGE
