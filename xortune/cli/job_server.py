"""The job server that a command talks to, and the commands that may follow for a job."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from xortune.escaping import visible

if TYPE_CHECKING:
    from xortune.cluster.jobs import JobServer


def add_job_server(parser: argparse.ArgumentParser) -> None:
    """Adds the options that name the server."""
    parser.add_argument(
        "--address", metavar="URL", default=None,
        help="of the cluster's job server "
        "(default: $RAY_API_SERVER_ADDRESS, or http://127.0.0.1:8265)",
    )  # fmt: skip
    parser.add_argument(
        "--proxy", metavar="URL", default=None,
        help="a proxy to it; it sees the token of an http address "
        "(default: $XORTUNE_PROXY, or none; http_proxy is not used)",
    )  # fmt: skip


def job_server(address: str | None, proxy: str | None) -> JobServer:
    """The server at an address; by default that of Ray's variable, or this machine's."""
    from xortune.cluster.jobs import JobServer

    return JobServer(address, proxy)


def following(server: JobServer, id: str, *commands: str) -> str:
    """A line for each command that may follow."""
    return "\n".join(f"{c.split()[0]:7} {job_command(server, c, id)}" for c in commands)


def job_command(server: JobServer, command: str, id: str) -> str:
    """The line that runs a command, such as `logs --follow`, for a job of the server."""
    from xortune.cluster.jobs import default_address

    name, *options = command.split()
    words = ["python", "-m", "xortune", name, visible(id), *options]
    if server.address != default_address():
        words += ["--address", server.address]
    if server.proxy is not None and "@" not in server.proxy:  # passwords are not repeated
        words += ["--proxy", server.proxy]
    return shlex.join(words)
