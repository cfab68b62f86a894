"""What a search listens on, read from /proc, and what somebody without its token gets there."""

from __future__ import annotations

import http.client
import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc

# Calls that change or run something, of every service that Ray has on some port. A port is
# asked all of them, and says UNIMPLEMENTED to those of other ports.
_CALLS = (
    "/ray.rpc.InternalKVGcsService/InternalKVPut",
    "/ray.rpc.JobInfoGcsService/AddJob",
    "/ray.rpc.NodeInfoGcsService/RegisterNode",
    "/ray.rpc.NodeManagerService/RequestWorkerLease",
    "/ray.rpc.ObjectManagerService/Push",
    "/ray.rpc.CoreWorkerService/PushTask",
    "/ray.rpc.ReporterService/GetTraceback",
)
_LISTENING = "0A"


class Socket(NamedTuple):
    """A listening TCP socket, and the process that has it."""

    pid: int
    process: str
    host: str
    port: int

    @property
    def on_loopback(self) -> bool:
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def address(self) -> str:
        everywhere = ipaddress.ip_address(self.host).is_unspecified
        return f"{'127.0.0.1' if everywhere else self.host}:{self.port}"


def sockets_of(root: int) -> list[Socket]:
    """The listening sockets of a process and of all that come from it."""
    return sorted({socket for pid in tree_of(root) for socket in _of_process(pid)})


def tree_of(root: int) -> set[int]:
    """A process and its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {root}
    while grown := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= grown
    return found


def environment_of(pid: int) -> list[tuple[str, str]]:
    """What a process was started with."""
    try:
        text = Path(f"/proc/{pid}/environ").read_text()
    except OSError:
        return []
    return [(name, value) for name, _, value in (line.partition("=") for line in text.split("\0"))]


def answer_without_token(socket: Socket) -> str:
    """What a caller without the token meets: the refusal, or why it looks like none.

    Returns:
        `refused by gRPC`, `refused by HTTP`, `metrics to read` (what a Ray with all its extras
        offers to Prometheus, and no more), or a description of what answered.
    """
    codes = [_grpc_answer(socket.address, call) for call in _CALLS]
    served = {code for code in codes if code is not grpc.StatusCode.UNIMPLEMENTED}
    if served == {grpc.StatusCode.UNAUTHENTICATED}:
        return "refused by gRPC"
    if served != {grpc.StatusCode.UNAVAILABLE}:
        return f"gRPC says {sorted(map(str, served)) or 'that it has no such service'}"
    host, _, port = socket.address.rpartition(":")
    try:
        status, _ = _http_answer(host, int(port), "POST")
        if status in (401, 403):
            return "refused by HTTP"
        metrics = status == 405 and b"# HELP" in _http_answer(host, int(port), "GET")[1]
    except (OSError, http.client.HTTPException) as error:
        return f"neither gRPC nor HTTP: {error!r}"
    return "metrics to read" if metrics else f"HTTP says {status}"


def _http_answer(host: str, port: int, method: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request(method, "/")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _grpc_answer(address: str, call: str) -> grpc.StatusCode:
    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        try:
            channel.unary_unary(call)(b"", timeout=10)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def _of_process(pid: int) -> Iterator[Socket]:
    process = Path("/proc") / str(pid)
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
        inodes = {_target(entry) for entry in (process / "fd").iterdir()}
        tables = [(process / "net" / name).read_text() for name in ("tcp", "tcp6")]
    except OSError:
        return
    name = _name([word.decode(errors="replace") for word in words])
    for line in (line for table in tables for line in table.splitlines()[1:]):
        _, local, _, state, *rest = line.split()
        if state == _LISTENING and f"socket:[{rest[5]}]" in inodes:
            host, _, port = local.partition(":")
            yield Socket(pid, name, _host(host), int(port, 16))


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:  # closed since it was listed
        return ""


def _name(words: list[str]) -> str:
    if "xortune" in words:
        return "driver"
    for word in words:
        if not word.startswith("-") and not re.search(r"/python[\d.]*$", word):
            return Path(word).stem if "/" in word else word
    return words[0]


def _host(text: str) -> str:
    """An address of /proc/net/tcp: words of four bytes, each in this machine's byte order."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
