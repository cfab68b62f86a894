"""Ray's own client for jobs, made safe to give a token to.

Ray's requests follow the environment's proxies, `~/.netrc` and every redirect. Those of this
client do not: the token goes to the address that the user gave, and through a proxy only if the
user named one.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import aiohttp
import requests
from ray.exceptions import AuthenticationError

from xortune.cluster.ray_internals import job_client_class
from xortune.errors import UsageError
from xortune.wording import option

CONNECT_S = 5
ANSWER_S = 10
PROXY_VARIABLE = "XORTUNE_PROXY"

_log = logging.getLogger("xortune")
_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Redirected(Exception):
    """The server redirects the request, and with it the token, elsewhere.

    Args:
        location: the target of the redirect.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        super().__init__(location)


class JobClient(job_client_class()):  # type: ignore[misc]
    """Ray's client, whose requests go to one address and give up after a while.

    Args:
        address: the job server's `http://host:port`.
        token: the cluster's token; None if there is none.
        proxy: the result of `chosen_proxy`.

    Attributes:
        patience: seconds to wait for an answer.

    Raises:
        Redirected: the server answers with a redirect. All methods raise it.
        Whatever Ray's client, requests and aiohttp raise.
    """

    def __init__(self, address: str, token: str | None, proxy: str | None) -> None:
        self.patience = ANSWER_S
        self._url = address
        self._proxy = proxy
        self._shown = {"Authorization": f"Bearer {token}"} if token else {}
        self._authorities = _authorities(address)
        super().__init__(address, headers=dict(self._shown), verify=self._authorities)

    def request(self, method: str, endpoint: str, **body: Any) -> requests.Response:
        """Makes one request, for all of Ray's methods."""
        with requests.Session() as session:
            # No proxies of the environment, nor ~/.netrc, whose password would replace the token.
            session.trust_env = False
            answer = session.request(
                method,
                f"{self._url}{endpoint}",
                **body,
                headers=self._shown,
                verify=self._authorities,
                proxies={"http": self._proxy, "https": self._proxy} if self._proxy else {},
                timeout=(CONNECT_S, self.patience),
                allow_redirects=False,
            )
        if answer.is_redirect:
            raise Redirected(answer.headers["location"])
        if answer.status_code in (401, 403):
            raise AuthenticationError(
                "Authentication required" if answer.status_code == 401 else "Authentication failed"
            )
        return answer

    async def tail_job_logs(self, job_id: str) -> AsyncIterator[str]:
        """The output of a job, in pieces, until it has ended."""
        trace = aiohttp.TraceConfig()
        trace.on_request_redirect.append(_refuse_redirect)
        url = f"{self._url}/api/jobs/{job_id}/logs/tail"
        async with aiohttp.ClientSession(headers=self._shown, trace_configs=[trace]) as session:
            # Not a context: leaving one reads until the server stops sending.
            pieces = await session.ws_connect(url, proxy=self._proxy, ssl=self.ssl_context)
            async for piece in pieces:
                if piece.type is aiohttp.WSMsgType.ERROR:
                    raise RuntimeError(f"the log ended early: {pieces.exception()}")
                yield piece.data
            if pieces.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE:
                raise RuntimeError("the log ended early: the connection was lost")


async def _refuse_redirect(session: Any, context: Any, redirect: Any) -> None:
    raise Redirected(redirect.response.headers.get("location", ""))


def chosen_proxy(address: str, given: str | None) -> str | None:
    """The proxy for requests to an address, with a warning that they go through it.

    The environment's `http_proxy` is meant for the web, and a proxy reads the token of a plain
    request. So only a proxy that was named for this purpose is used.

    Args:
        address: the job server's `http://host:port`.
        given: the proxy of `--proxy`; None takes that of XORTUNE_PROXY, if any.

    Raises:
        UsageError: it is not the address of a proxy, or the job server is on this machine.
    """
    proxy = given or os.environ.get(PROXY_VARIABLE)
    if not proxy:
        return None
    try:
        parts = urlsplit(proxy)
        fits = parts.scheme == "http" and bool(parts.hostname) and parts.port is not None
    except ValueError:
        fits = False
    if not fits:
        name = f"{option('proxy')} " if given else f"{PROXY_VARIABLE}="
        raise UsageError(f"{name}{proxy.rpartition('@')[2]}: expected http://host:port.")
    shown = f"http://{parts.netloc.rpartition('@')[2]}"
    if is_this_machine(address):
        if given:
            raise UsageError(
                f"{option('proxy')} {shown}: {address} is on this machine, which no proxy "
                f"reaches. Leave {option('proxy')} out."
            )
        return None
    plain = urlsplit(address).scheme == "http"
    reads = "which can read them and the token in them" if plain else "in a tunnel it cannot read"
    _log.warning(f"requests to {address} go through the proxy {shown}, {reads}")
    return proxy


def unused_proxy(address: str) -> str:
    """A hint for an address that was not reached, if the environment has a proxy for it."""
    scheme = urlsplit(address).scheme
    found = getproxies_environment()
    name = next((name for name in (scheme, "all") if name in found), None)
    if name is None or is_this_machine(address):
        return ""
    return (
        f" {name}_proxy is not used, since a proxy sees the cluster's token. To use it, name it "
        f"with {option('proxy')}."
    )


def is_this_machine(address: str) -> bool:
    """Whether a URL's host is this machine's loopback, under any of its names."""
    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return any(map(_is_loopback, map(ipaddress.ip_address, found)))


def _is_loopback(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _authorities(address: str) -> str | bool:
    """The certificates that an https server is checked with: those of requests, or the user's."""
    name = next((name for name in _AUTHORITIES if os.environ.get(name)), None)
    if name is None or urlsplit(address).scheme != "https":
        return True
    path = os.environ[name]
    if not Path(path).exists():
        raise UsageError(f"{name}={path}: no such file. Name an existing one, or unset {name}.")
    return path
