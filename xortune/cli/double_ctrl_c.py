"""Ctrl-C twice: the end at once, however busy the main thread is."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from xortune.interrupt import SIGNALS, descendants, kill


@contextmanager
def noticing_ctrl_c_twice(end: Callable[[int], object]) -> Iterator[None]:
    """While entered, a SIGINT that comes after a first signal ends everything.

    Python's own handlers run when the main thread gets to it, which may be long after: two
    signals that came meanwhile are one to them. Does nothing outside the main thread.

    Args:
        end: called with the signal in a thread of its own; does not return.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, told = socket.socketpair()
    told.setblocking(False)
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(heard, end), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        told.close()


def kill_descendants() -> None:
    """Kills what this process has started, and what that has: some of a Ray's own processes
    outlive it by a minute. Without `/proc`, Ray's processes are left to notice themselves.
    """
    kill(list(descendants(os.getpid())))


def _listen(heard: socket.socket, end: Callable[[int], object]) -> None:
    """Hears every signal with a handler as one byte, until the other side is closed."""
    stopping = False
    with heard:
        while numbers := heard.recv(64):
            for number in numbers:
                if stopping and number == signal.SIGINT:
                    end(number)
                stopping = stopping or number in SIGNALS
