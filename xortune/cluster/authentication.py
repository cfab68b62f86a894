"""Ray's token: a Ray that a search starts obeys only those who have it.

Ray takes the token from RAY_AUTH_TOKEN, from the file RAY_AUTH_TOKEN_PATH, or from
~/.ray/auth_token, and asks for it where RAY_AUTH_MODE is `token`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

import grpc

from xortune.cluster.environment import variables
from xortune.cluster.ray_internals import CHECK_ALIVE, reread_environment
from xortune.errors import UsageError

_MODE, _TOKEN, _TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
_FILE = "~/.ray/auth_token"
_ANSWER_S = 5


class Guard(Enum):
    """How an address answers a call: not as a Ray does, with a refusal, or with an answer."""

    NO_RAY = "no Ray"
    REFUSED = "refused"
    OPEN = "open"


def guard_at(address: str, token: str | None = None) -> Guard:
    """Calls the head of a cluster, with a token or without.

    Args:
        address: `host:port`.
        token: the token to show; None shows none.
    """
    shown = () if token is None else (("authorization", f"Bearer {token}"),)
    # As Ray itself does: a web proxy cannot reach Ray.
    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        try:
            channel.unary_unary(CHECK_ALIVE)(b"", timeout=_ANSWER_S, metadata=shown)
        except grpc.RpcError as error:
            refused = error.code() is grpc.StatusCode.UNAUTHENTICATED
            return Guard.REFUSED if refused else Guard.NO_RAY
    return Guard.OPEN


def known_token() -> str | None:
    """The token that Ray would find on this machine; None if there is none.

    Raises:
        UsageError: RAY_AUTH_TOKEN_PATH does not name a file with a token. Ray would end the
            process.
    """
    if token := os.environ.get(_TOKEN, "").strip():
        return token
    if path := os.environ.get(_TOKEN_PATH):
        if not (token := _read(path)):
            raise UsageError(
                f"{_TOKEN_PATH}={path}: no token can be read there. Name a file that holds one, "
                "or unset it."
            )
        return token
    return _read(_FILE) or None


def shown_token() -> str | None:
    """The token for Ray's job server; None if there is none, or Ray is told to show none.

    Raises:
        UsageError: the content of the variable or the file cannot be a token.
    """
    if os.environ.get(_MODE, "token").lower() != "token":
        return None
    token = known_token()
    if token is None or (token.isascii() and token.isprintable()):
        return token
    place = _FILE
    if os.environ.get(_TOKEN, "").strip():
        place = _TOKEN
    elif path := os.environ.get(_TOKEN_PATH):
        place = f"{_TOKEN_PATH}={path}"
    raise UsageError(f"{place}: the token is not plain text. Copy the cluster's token again.")


def shows_token(address: str) -> bool:
    """Whether Ray shows its token to the cluster that it joins.

    It does so for `auto` unless told not to, and for a `host:port`, which may be a stranger's, only
    when told to.
    """
    return os.environ.get(_MODE, "token" if address == "auto" else "").lower() == "token"


@contextmanager
def own_token() -> Iterator[None]:
    """While entered, a Ray that is started asks for a token, whatever RAY_AUTH_MODE says.

    The token is that of RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH, or else one generated for this Ray
    alone. That one is handed down in the environment, which other users cannot read and which
    needs no home folder to write to: everybody on the machine can read Ray's own file.
    """
    settings = {_MODE: "token"}
    if not (os.environ.get(_TOKEN, "").strip() or os.environ.get(_TOKEN_PATH)):
        settings[_TOKEN] = secrets.token_hex(32)
    try:
        with variables(settings):
            known_token()
            reread_environment()
            yield
    finally:
        reread_environment()


def _read(path: str) -> str:
    """The token in a file; empty if there is no such file, or no home folder to look in."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, ValueError, RuntimeError):
        return ""
