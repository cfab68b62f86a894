"""Signals to a command: the first interrupts it, and a Ctrl-C after that ends it at once."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from xortune.cli.screen import Screen
from xortune.errors import Interrupted
from xortune.interrupt import SIGNALS, descendants, handle, kill, restore


@contextmanager
def interruptible(end: Callable[[int], object]) -> Iterator[None]:
    """While entered, a first signal raises Interrupted, and a SIGINT after it ends the process.

    The end does not wait for the main thread. Python's own handlers run when that gets to it, which
    may be long after: two signals that came meanwhile are one to them. Does nothing outside the
    main thread.

    Args:
        end: called with the second signal, in a thread of its own; does not return.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []

    def interrupt(signum: int, frame: FrameType | None) -> None:
        received.append(signum)
        if len(received) == 1:
            raise Interrupted(signum)

    heard, told = socket.socketpair()
    told.setblocking(False)
    wakeup = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(heard, end), daemon=True).start()
    handlers = handle(interrupt)
    try:
        yield
    finally:
        restore(handlers)
        signal.set_wakeup_fd(wakeup)
        told.close()


def kill_descendants() -> None:
    """Kills all processes that this one has started, and theirs.

    Some of Ray's outlive it by a minute. Without `/proc`, they are left to end by themselves.
    """
    kill(list(descendants(os.getpid())))


def end_at_once(screen: Screen, words: str, signum: int) -> NoReturn:
    """Ends this process at once, as if killed. Studies survive that."""
    kill_descendants()
    screen.urgent(f"xortune: {words}")
    os._exit(128 + signum)


def _listen(heard: socket.socket, end: Callable[[int], object]) -> None:
    """Reads each signal that has a handler as one byte, until the other side is closed."""
    stopping = False
    with heard:
        while numbers := heard.recv(64):
            for number in numbers:
                if stopping and number == signal.SIGINT:
                    end(number)
                stopping = stopping or number in SIGNALS
