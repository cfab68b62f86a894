"""Ray's token: without it nobody may use a Ray that we start, or run code on it.

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

from xortune.errors import UsageError

_MODE, _TOKEN, _TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
_FILE = "~/.ray/auth_token"
_CALL = "/ray.rpc.NodeInfoGcsService/CheckAlive"
_ANSWER_S = 5


class Guard(Enum):
    """What a call meets at an address: no Ray, one that refuses it, or one that answers."""

    NO_RAY = "no Ray"
    REFUSED = "refused"
    OPEN = "open"


def guard_at(address: str, token: str | None = None) -> Guard:
    """Calls the head of a cluster, as one who has this token or none.

    Args:
        address: `host:port`.
        token: what to show; None shows nothing.
    """
    shown = () if token is None else (("authorization", f"Bearer {token}"),)
    # As Ray itself does: a proxy for the web knows no Ray.
    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        try:
            channel.unary_unary(_CALL)(b"", timeout=_ANSWER_S, metadata=shown)
        except grpc.RpcError as error:
            refused = error.code() is grpc.StatusCode.UNAUTHENTICATED
            return Guard.REFUSED if refused else Guard.NO_RAY
    return Guard.OPEN


def known_token() -> str | None:
    """The token that Ray would find here; None where there is none.

    Raises:
        UsageError: RAY_AUTH_TOKEN_PATH is no file that holds one: Ray would end the process.
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
    """The token for Ray's job server; None where there is none, or Ray is told to show none.

    Raises:
        UsageError: what was found cannot be a token.
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
    """Whether Ray shows its token to the cluster that it joins: to `auto` unless told not to.

    To a `host:port`, which may be a stranger's, it shows it only when told to.
    """
    return os.environ.get(_MODE, "token" if address == "auto" else "").lower() == "token"


@contextmanager
def own_token() -> Iterator[None]:
    """A Ray that is started in this context asks for a token, whatever RAY_AUTH_MODE says.

    It is that of RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH, else one made for this Ray alone. That
    one is handed down in the environment, which other users cannot read and which needs no
    home folder to write to: Ray's own file is readable for everybody on the machine.
    """
    before = {name: os.environ.get(name) for name in (_MODE, _TOKEN)}
    os.environ[_MODE] = "token"
    if not (os.environ.get(_TOKEN, "").strip() or os.environ.get(_TOKEN_PATH)):
        os.environ[_TOKEN] = secrets.token_hex(32)
    try:
        known_token()
        reread()
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        reread()


def reread() -> None:
    """Has Ray read the environment again, of which it keeps what it has read."""
    from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


def _read(path: str) -> str:
    """The token in a file; empty where there is none, or no home folder to look in."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, ValueError, RuntimeError):
        return ""
