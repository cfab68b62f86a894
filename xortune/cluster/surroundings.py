"""What Ray finds and changes in this process, put back as it was when the last search ends."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from xortune.interrupt import SIGNALS

# None of these is read while Ray is imported: that would outlast the search.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    # The loggers write three files for every trial, and are what makes Tune slow.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # Signals are the search's own business.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    # Tune's own state is of no use: the ledger has everything.
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    # Else Tune starts one actor after the other.
    "TUNE_MAX_PENDING_TRIALS_PG": "1000",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}

# Set by Ray itself.
_DEBUGGER = ("PYTHONBREAKPOINT", "ray.util.rpdb._driver_set_trace")


class _Counted:
    """A context that the first of several threads enters, and the last leaves.

    Args:
        make: makes it, for the first.
    """

    def __init__(self, make: Callable[..., AbstractContextManager[None]]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._inside = 0
        self._stack = ExitStack()

    @contextmanager
    def __call__(self, *arguments: Any) -> Iterator[None]:
        with self._lock:
            if not self._inside:
                self._stack.enter_context(self._make(*arguments))
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._stack.close()


@contextmanager
def _surroundings(verbose: bool) -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(_environment())
        stack.enter_context(_loggers(verbose))
        stack.enter_context(_open_files())
        stack.enter_context(_ray_settings())
        yield


surroundings = _Counted(_surroundings)
"""What Ray and Tune need while there is a search, and what they change by themselves.

Args:
    verbose: let Ray log; the first of several searches decides.
"""


@contextmanager
def _environment() -> Iterator[None]:
    set_here = {name: value for name, value in ENVIRONMENT.items() if name not in os.environ}
    os.environ.update(set_here)
    if _DEBUGGER[0] not in os.environ:
        set_here.update([_DEBUGGER])
    try:
        yield
    finally:
        for name, value in set_here.items():
            if os.environ.get(name) == value:
                del os.environ[name]


@contextmanager
def _loggers(verbose: bool) -> Iterator[None]:
    """Ray sets the levels of its loggers, and may add handlers."""
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
    """Ray raises how many files this process may open."""
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
def _ray_settings() -> Iterator[None]:
    """What Ray keeps in its own modules: how much it says, and what it does when it starts."""
    from ray._private import ray_logging, worker

    def tune_log() -> Any:
        return sys.modules.get("ray.tune.utils.log")

    hooks, merging = list(worker._post_init_hooks), ray_logging.RAY_DEDUP_LOGS
    verbosity = getattr(tune_log(), "verbosity", None)
    ray_logging.RAY_DEDUP_LOGS = False
    try:
        yield
    finally:
        worker._post_init_hooks[:] = [
            hook for hook in worker._post_init_hooks if hook in hooks or not _of_parameters(hook)
        ]
        ray_logging.RAY_DEDUP_LOGS = merging
        if tune_log() is not None:
            loudest = tune_log().Verbosity.V3_TRIAL_DETAILS
            tune_log().verbosity = loudest if verbosity is None else verbosity


def _of_parameters(hook: Any) -> bool:
    """Whether it is one that `with_parameters` leaves, with the parameters, for every search."""
    return type(getattr(hook, "__self__", None)).__name__ == "_ParameterRegistry"


@contextmanager
def muted() -> Iterator[None]:
    """Ray prints the end of every worker on standard output, whatever `log_to_driver` says."""
    from ray._private import worker

    printing = worker.print_to_stdstream
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = printing


@contextmanager
def signals_left_alone() -> Iterator[None]:
    """Keeps the driver's handlers of signals, and the signals from Ray's processes.

    Ray replaces that of SIGTERM twice, by one in Python and by one in C++ that ends the process
    three seconds later, and several others in C++. A Ctrl-C goes to the terminal's whole group of
    processes, and what stops a job or a service may tell every single one: it is the driver that
    stops Ray's, in order. They inherit what is blocked in the thread that starts them.
    """
    from ray._private import utils

    setting = utils.set_sigterm_handler
    utils.set_sigterm_handler = lambda handler: None
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    timed = signal.getitimer(signal.ITIMER_REAL)
    try:
        with _handlers_kept():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        utils.set_sigterm_handler = setting
        if timed == (0, 0):
            signal.alarm(0)


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """What the system does on each signal. Python's own functions serve only the main thread."""
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
    """Tune takes SIGUSR1 for a wish to stop, and leaves its handler behind."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGUSR1"):
        yield
        return
    before = signal.getsignal(signal.SIGUSR1)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL if before is None else before)
