"""Reaching the job server of a cluster, and what to say where that fails."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from xortune.cluster.authentication import shown_token
from xortune.errors import UsageError

DEFAULT_ADDRESS = "http://127.0.0.1:8265"
ADDRESS_VARIABLE = "RAY_API_SERVER_ADDRESS"
# A log of 100 MB takes Ray four seconds to put together.
LONG_ANSWER_S = 120
# What an agent of Ray's listens on unless told; where it cannot, it ends.
_AGENT_PORT = 52365


def default_address() -> str:
    """Where a job server is looked for unless the user says."""
    return os.environ.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS


def checked_address(address: str, place: str) -> str:
    """The address with its scheme, which may be left out.

    Ray would take more: a module's name before the `://`, which it imports.
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
        address: what `checked_address` gives.
        place: the address as messages name it.
        proxy: as for `JobServer`.

    Raises:
        UsageError: no job server is reached, or it does not let us in.
    """
    if importlib.util.find_spec("aiohttp") is None:
        raise UsageError(
            "the commands for jobs need Ray's job client. Install it with: "
            "pip install 'xortune[cluster]'"
        )
    import requests
    from ray.exceptions import RayError

    from xortune.cluster.job_client import (
        ANSWER_S,
        JobClient,
        Redirected,
        chosen_proxy,
        unused_proxy,
    )

    # They log every upload, at a level of their own.
    for name in ("dashboard_sdk", "job.sdk"):
        logging.getLogger(f"ray.dashboard.modules.{name}").setLevel(logging.WARNING)
    for name in ("packaging", "working_dir"):
        logging.getLogger(f"ray._private.runtime_env.{name}").setLevel(logging.WARNING)
    through = chosen_proxy(address, proxy)
    try:
        with _named(address):
            client = JobClient(address, shown_token(), through)
    except (ConnectionError, requests.ConnectionError):
        complaint = f"nothing answers there{', through that proxy' if through else ''}"
    except requests.Timeout:
        complaint = f"what is there has not answered for {ANSWER_S} s"
    except Redirected as error:
        raise UsageError(redirection(place, error.location)) from None
    except (requests.RequestException, RuntimeError, LookupError, TypeError, ValueError):
        complaint = "what answers there is no Ray"
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


@contextmanager
def _named(address: str) -> Iterator[None]:
    """Ray's client prefers two variables of the environment to the address it is given."""
    before = os.environ.get(ADDRESS_VARIABLE)
    os.environ[ADDRESS_VARIABLE] = address
    try:
        yield
    finally:
        if before is None:
            del os.environ[ADDRESS_VARIABLE]
        else:
            os.environ[ADDRESS_VARIABLE] = before


def redirection(place: str, location: str) -> str:
    """The error for a server that sends requests elsewhere."""
    return (
        f"{place}: the server there redirects to {location}, and the cluster's token is not taken "
        "elsewhere. Give the job server's own address."
    )


def failure(text: str) -> str:
    """What is wrong with a server that answers, from the error of Ray's client."""
    if "No available agent" in text:
        return (
            "the cluster has no agent to start a job with. If that lasts for more than a minute, "
            f"the agent's port {_AGENT_PORT} is taken, as by another Ray on that machine: end "
            "that one, or start this one with another port: ray start --head "
            f"--dashboard-agent-listen-port {_AGENT_PORT + 1}"
        )
    return last_line(text)


def refusal(place: str, error: Exception) -> str:
    """The error for a server that does not let us in."""
    if (mode := os.environ.get("RAY_AUTH_MODE", "token")).lower() != "token":
        return (
            f"{place}: that Ray asks for a token, and RAY_AUTH_MODE={mode} has none shown. "
            "Unset it, or set it to token."
        )
    fault = "asks for a token" if "required" in str(error) else "does not take this token"
    return (
        f"{place}: that Ray {fault}. Set RAY_AUTH_TOKEN to the cluster's token, "
        "or copy it to ~/.ray/auth_token; its head node prints it: ray get-auth-token"
    )


def last_line(text: str) -> str:
    """Where a traceback says what happened."""
    return (text.strip().splitlines() or [""])[-1]
