"""The state of this process that Ray needs or changes, put back when the last search ends."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from xortune.cluster.ray_internals import (
    DEBUGGER,
    ENVIRONMENT,
    settings_kept,
    sigterm_left_alone,
)
from xortune.interrupt import SIGNALS
from xortune.process_wide import Counted


@contextmanager
def _process_state(verbose: bool) -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(_environment())
        stack.enter_context(_loggers(verbose))
        stack.enter_context(_open_files())
        stack.enter_context(settings_kept())
        yield


process_state = Counted(_process_state)
"""While entered, this process is as Ray and Tune need it; then it is as it was before.

Args:
    verbose: let Ray log. The first of several searches decides.
"""


@contextmanager
def _environment() -> Iterator[None]:
    set_here = {name: value for name, value in ENVIRONMENT.items() if name not in os.environ}
    os.environ.update(set_here)
    if DEBUGGER[0] not in os.environ:
        set_here.update([DEBUGGER])
    try:
        yield
    finally:
        for name, value in set_here.items():
            if os.environ.get(name) == value:
                del os.environ[name]


@contextmanager
def _loggers(verbose: bool) -> Iterator[None]:
    """Puts back Ray's loggers: it sets their levels, and may add handlers."""
    loggers = [logging.getLogger(name) for name in ("ray", "ray.tune", "ray.train", "ray.data")]
    before = [(log, log.level, log.propagate, list(log.handlers)) for log in loggers]
    if not verbose:
        logging.getLogger("ray").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level, propagate, handlers in before:
            log.setLevel(level)
            log.propagate = propagate
            log.handlers[:] = handlers


@contextmanager
def _open_files() -> Iterator[None]:
    """Puts back the limit of open files, which Ray raises."""
    if sys.platform == "win32":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def signals_left_alone() -> Iterator[None]:
    """While entered, `ray.init` leaves the driver's signal handlers, and its processes ignore them.

    Ray replaces the handler of SIGTERM twice, by one in Python and by one in C++ that ends the
    process three seconds later, and several others in C++. A Ctrl-C goes to the terminal's whole
    group of processes, and whatever stops a job or a service may signal each of them: it is the
    driver that stops Ray's, in order. They inherit the blocked signals of the thread that starts
    them.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    timed = signal.getitimer(signal.ITIMER_REAL)
    try:
        with sigterm_left_alone(), _handlers_kept():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if timed == (0, 0):
            signal.alarm(0)


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Puts back the system's handler of each signal, in any thread.

    Python's own functions for this serve only the main thread.
    """
    get, put = ctypes.pythonapi.PyOS_getsig, ctypes.pythonapi.PyOS_setsig
    get.restype = put.restype = ctypes.c_void_p
    get.argtypes, put.argtypes = [ctypes.c_int], [ctypes.c_int, ctypes.c_void_p]
    numbers = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
    before = {number: get(number) for number in numbers}
    faults = faulthandler.is_enabled()
    try:
        yield
    finally:
        if not faults:
            faulthandler.disable()
        for number, handler in before.items():
            if get(number) != handler:
                put(number, handler)


@contextmanager
def handler_of_sigusr1_kept() -> Iterator[None]:
    """Puts back the handler of SIGUSR1, which Tune replaces by one that stops its loop."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGUSR1"):
        yield
        return
    before = signal.getsignal(signal.SIGUSR1)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL if before is None else before)
