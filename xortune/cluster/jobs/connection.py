"""Reaching the job server of a cluster, and the errors for a server that is not reached."""

from __future__ import annotations

import importlib.util
import os
from typing import Any
from urllib.parse import urlsplit

from xortune.cluster.authentication import shown_token
from xortune.cluster.environment import variables
from xortune.cluster.ray_internals import uploads_unlogged
from xortune.errors import UsageError

DEFAULT_ADDRESS = "http://127.0.0.1:8265"
ADDRESS_VARIABLE = "RAY_API_SERVER_ADDRESS"
# A log of 100 MB takes Ray four seconds to put together.
LONG_ANSWER_S = 120
# The default port of Ray's agent, which ends where that is taken.
_AGENT_PORT = 52365


def default_address() -> str:
    """The address of the job server unless the user gives one."""
    return os.environ.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS


def checked_address(address: str, place: str) -> str:
    """The address with its scheme, which may be left out.

    Ray would accept more, such as a module's name before the `://`, which it imports.

    Args:
        address: the address as the user gave it.
        place: precedes the address in messages, such as `--address `.

    Raises:
        UsageError: it is not the address of a job server.
    """
    url = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname)
        fits = fits and (parts.port is not None or "://" in address)
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment or parts.username:
        raise UsageError(
            f"{place}{address}: expected the job server's http://host:port, such as "
            f"{DEFAULT_ADDRESS}."
        )
    return url.rstrip("/")


def connect(address: str, place: str, proxy: str | None) -> Any:
    """A `JobClient` that has reached its server.

    Args:
        address: the result of `checked_address`.
        place: the address as messages name it.
        proxy: as for `JobServer`.

    Raises:
        UsageError: no job server is reached, or it refuses the token.
    """
    if importlib.util.find_spec("aiohttp") is None:
        raise UsageError(
            "the commands for jobs need Ray's job client. Install it with: "
            "pip install 'xortune[cluster]'"
        )
    import requests
    from ray.exceptions import RayError

    from xortune.cluster.jobs.client import (
        ANSWER_S,
        JobClient,
        Redirected,
        chosen_proxy,
        unused_proxy,
    )

    uploads_unlogged()
    through = chosen_proxy(address, proxy)
    try:
        # Ray's client prefers these variables to the address that it is given.
        with variables({ADDRESS_VARIABLE: address}):
            client = JobClient(address, shown_token(), through)
    except (ConnectionError, requests.ConnectionError):
        complaint = f"nothing answers there{', through that proxy' if through else ''}"
    except requests.Timeout:
        complaint = f"the server there has not answered for {ANSWER_S} s"
    except Redirected as error:
        raise UsageError(redirection(place, error.location)) from None
    except (requests.RequestException, RuntimeError, LookupError, TypeError, ValueError):
        complaint = "the server there is not a Ray"
    except RayError as error:
        raise UsageError(refusal(place, error)) from None
    else:
        client.patience = LONG_ANSWER_S
        return client
    unused = "" if through else unused_proxy(address)
    raise UsageError(
        f"{place}: no job server: {complaint}.{unused} A cluster has one where it was started: "
        "ray start --head --dashboard-host 127.0.0.1"
    )


def redirection(place: str, location: str) -> str:
    """The error for a server that sends requests elsewhere."""
    return (
        f"{place}: the server there redirects to {location}, and the cluster's token is not sent "
        "elsewhere. Give the job server's own address."
    )


def failure(text: str) -> str:
    """The fault of a server that answers, from the error of Ray's client."""
    if "No available agent" in text:
        return (
            "the cluster has no agent to start a job with. If that lasts for more than a minute, "
            f"the agent's port {_AGENT_PORT} is taken, perhaps by another Ray on that machine. End "
            "that one, or start this one with another port: ray start --head "
            f"--dashboard-agent-listen-port {_AGENT_PORT + 1}"
        )
    return last_line(text)


def refusal(place: str, error: Exception) -> str:
    """The error for a server that refuses the token, or the lack of one."""
    if (mode := os.environ.get("RAY_AUTH_MODE", "token")).lower() != "token":
        return (
            f"{place}: that Ray asks for a token, and with RAY_AUTH_MODE={mode} none is shown. "
            "Unset it, or set it to token."
        )
    fault = "asks for a token" if "required" in str(error) else "does not accept this token"
    return (
        f"{place}: that Ray {fault}. Set RAY_AUTH_TOKEN to the cluster's token, "
        "or copy it to ~/.ray/auth_token; its head node prints it: ray get-auth-token"
    )


def last_line(text: str) -> str:
    """The last line of a text: in a traceback, the error itself."""
    return (text.strip().splitlines() or [""])[-1]
